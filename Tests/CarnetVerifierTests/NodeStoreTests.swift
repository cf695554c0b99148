import CarnetEvidence
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Testing

/// Machine 1 has name 1, endorsement key 1 and attestation key 1. Others share some of these with it.
@Suite struct NodeStoreTests {
    private let counters = BootCounters(resetCount: 5, restartCount: 2, clock: 100)

    @Test("A machine waits until it is approved, once") func approval() async throws {
        let store = NodeStore(try await testDatabase())
        guard
            case .added(let node) = try await store.add(
                "a", identity(), boot: counters, firmwareVersion: 9, approver: nil, now: 1)
        else {
            Issue.record("not added")
            return
        }
        #expect(node.state == "pending" && node.subject == "urn:carnet:node:a")
        #expect(try await store.approve("a", by: "op", now: 2)?.state == "approved")
        #expect(try await store.approve("a", by: "other", now: 3)?.approvedBy == "op")
        #expect(try await store.approve("b", by: "op", now: 3) == nil)
        #expect(try await store.node(attestationKeyName: identity().attestationKeyName)?.id == "a")
        #expect(try await store.node(named: "node-1")?.id == "a")
        #expect(try await store.node(named: "node-2") == nil)
    }

    @Test(
        "A known name, endorsement key or attestation key is refused under anything else",
        arguments: [
            (identity(name: 1, endorsementKey: 2, attestationKey: 2), IdentityConflict.name),
            (identity(name: 1, endorsementKey: 1, attestationKey: 2), .name),
            (identity(name: 1, endorsementKey: 2, attestationKey: 1), .name),
            (identity(name: 2, endorsementKey: 1, attestationKey: 2), .endorsementKey),
            (identity(name: 2, endorsementKey: 1, attestationKey: 1), .endorsementKey),
            (identity(name: 2, endorsementKey: 2, attestationKey: 1), .attestationKey),
        ])
    func conflicts(_ other: NodeIdentity, _ conflict: IdentityConflict) async throws {
        let database = try await testDatabase()
        let store = NodeStore(database)
        let enrolments = EnrolmentStore(database)
        let record = EnrolmentStore.Record(id: "c", identity: other, nonce: [], selection: [], expiresAt: 100)
        #expect(try await enrolments.open(record, secret: [1], now: 1) == .opened)
        _ = try await store.add("a", identity(), boot: counters, firmwareVersion: 9, approver: "op", now: 1)
        #expect(try await enrolments.open(record, secret: [1], now: 1) == .conflict(conflict))
        #expect(
            try await store.add("b", other, boot: counters, firmwareVersion: 9, approver: "op", now: 1)
                == .conflict(conflict))
        #expect(try await store.list().elements.map(\.id) == ["a"])
        #expect(try await store.remove("a", now: 1))
        guard case .added = try await store.add("b", other, boot: counters, firmwareVersion: 9, approver: nil, now: 2)
        else {
            Issue.record("still refused after the operator removed the old record")
            return
        }
    }

    @Test("Whoever registered the key approves the machine, under the registered name and no other")
    func registered() async throws {
        let database = try await testDatabase()
        let store = NodeStore(database), register = EndorsementKeyRegister(database)
        _ = try await register.add(identity().endorsementKeyDigest, nodeName: "node-2", by: "op", now: 1)
        let other = try await store.add("a", identity(), boot: counters, firmwareVersion: 9, approver: "all", now: 1)
        #expect(other == .registeredForAnotherName)
        guard
            case .added(let node) = try await store.add(
                "b", identity(name: 2), boot: counters, firmwareVersion: 9, approver: nil, now: 1)
        else {
            Issue.record("not added")
            return
        }
        #expect(node.approvedBy == "op")
    }

    @Test("A machine that was removed is approved by an operator's new word only, however it was approved before")
    func removedStaysOut() async throws {
        let database = try await testDatabase()
        let store = NodeStore(database), register = EndorsementKeyRegister(database)
        func add(approver: String?) async throws -> Node? {
            let addition = try await store.add(
                "a", identity(), boot: counters, firmwareVersion: 9, approver: approver, now: 1)
            if case .added(let node) = addition { return node } else { return nil }
        }
        _ = try await register.add(identity().endorsementKeyDigest, nodeName: nil, by: "op", now: 1)
        #expect(try await add(approver: nil)?.approvedBy == "op")
        #expect(try await store.remove("a", now: 2))
        #expect(try await register.list().elements.isEmpty)
        #expect(try await add(approver: "all")?.state == "pending")
        #expect(try await store.remove("a", now: 3))
        _ = try await register.add(identity().endorsementKeyDigest, nodeName: nil, by: "op2", now: 4)
        #expect(try await add(approver: nil)?.approvedBy == "op2")
    }

    @Test("The same machine enrols again as itself") func again() async throws {
        let store = NodeStore(try await testDatabase())
        _ = try await store.add("a", identity(), boot: counters, firmwareVersion: 9, approver: "op", now: 1)
        guard
            case .added(let node) = try await store.add(
                "b", identity(), boot: counters, firmwareVersion: 9, approver: nil, now: 2)
        else {
            Issue.record("not added")
            return
        }
        #expect(node.id == "a" && node.isApproved)
    }

    @Test("A machine that is known cannot enrol again with an older clock") func clock() async throws {
        let store = NodeStore(try await testDatabase())
        _ = try await store.add("a", identity(), boot: counters, firmwareVersion: 9, approver: "op", now: 1)
        let older = BootCounters(resetCount: 5, restartCount: 2, clock: 99)
        #expect(
            try await store.add("b", identity(), boot: older, firmwareVersion: 9, approver: "op", now: 1)
                == .countersWentBackwards)
        #expect(try await store.remove("a", now: 1))
        guard
            case .added = try await store.add("b", identity(), boot: older, firmwareVersion: 9, approver: "op", now: 1)
        else {
            Issue.record("the counters outlived their machine")
            return
        }
    }

    @Test("Counters of any size come back as they were") func extremes() async throws {
        let database = try await testDatabase()
        let extreme = BootCounters(resetCount: .max, restartCount: .max, clock: .max)
        guard
            case .added(let node) = try await NodeStore(database).add(
                "a", identity(), boot: extreme, firmwareVersion: .max, approver: "op", now: 1)
        else {
            Issue.record("not added")
            return
        }
        let entry = LedgerEntry(
            time: 1, kind: .passport, challengeDigest: [1], requester: nil, nodeID: nil, outcome: .none,
            policyDigest: nil, evidenceDigest: [], tokenID: nil, findings: [])
        let earlier = BootCounters(resetCount: .max, restartCount: .max, clock: .max - 1)
        let subject = Ledger.Subject(node: node, counters: earlier, firmwareVersion: 9)
        #expect(try await !Ledger(database).record(subject) { _ in entry }.1.countersStand)
    }
}
