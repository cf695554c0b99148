import CarnetEvidence
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Testing

@Suite struct LedgerTests {
    private func entry(_ challenge: UInt8, time: Int64 = 1, outcome: LedgerEntry.Outcome = .affirming) -> LedgerEntry {
        LedgerEntry(
            time: time, kind: .passport, challengeDigest: [UInt8](repeating: challenge, count: 32), requester: nil,
            nodeID: "node", outcome: outcome, policyDigest: [1], evidenceDigest: [2], tokenID: "jti",
            findings: Array("[]".utf8))
    }

    @Test("A challenge is consumed once, whatever came of it, and also after the database was opened again")
    func once() async throws {
        let database = try await testDatabase()
        #expect(try await Ledger(database).record(entry(1, outcome: .failed)) == .recorded)
        #expect(try await Ledger(database).record(entry(1)) == .challengeUsed)
        #expect(try await Ledger(database, writer: "replica").record(entry(1)) == .challengeUsed)
        #expect(try await Ledger(database).newest(10).map(\.outcome) == [.failed])
    }

    @Test("Of many uses at once, one wins") func race() async throws {
        let database = try await testDatabase()
        let recorded = try await withThrowingTaskGroup(of: Ledger.Recording.self) { group in
            for writer in 0..<16 {
                group.addTask { try await Ledger(database, writer: "w\(writer % 3)").record(entry(9)) }
            }
            return try await group.reduce(into: 0) { count, recording in count += recording == .recorded ? 1 : 0 }
        }
        #expect(recorded == 1)
    }

    @Test("Evidence that proves nothing uses its challenge up, and leaves nothing that lasts")
    func unauthenticated() async throws {
        let database = try await testDatabase()
        let ledger = Ledger(database)
        func entry(_ challenge: UInt8, node: String?, time: Int64) -> LedgerEntry {
            LedgerEntry(
                time: time, kind: .passport, challengeDigest: [UInt8](repeating: challenge, count: 32),
                challengeExpiresAt: time + 300, requester: nil, nodeID: node, outcome: .failed, policyDigest: nil,
                evidenceDigest: [2], tokenID: nil, findings: Array("[]".utf8))
        }
        #expect(try await ledger.consume(entry(1, node: nil, time: 0)) == .recorded)
        #expect(try await ledger.consume(entry(1, node: nil, time: 0)) == .challengeUsed)
        #expect(try await ledger.record(entry(1, node: "node", time: 0)) == .challengeUsed)
        #expect(try await ledger.newest(10).isEmpty)
        // Of a machine's failures one is written in each interval; all use their challenges up.
        for challenge in UInt8(2)..<50 {
            #expect(try await ledger.consume(entry(challenge, node: "node", time: 100)) == .recorded)
            #expect(try await ledger.record(entry(challenge, node: "node", time: 100)) == .challengeUsed)
        }
        #expect(try await ledger.newest(100).count == 1)
        #expect(try await ledger.consume(entry(60, node: "node", time: 110)) == .recorded)
        #expect(try await ledger.newest(100).count == 2)
        #expect(try await ledger.consume(entry(61, node: nil, time: 10_000)) == .recorded)
        let rows = try await database.read { try $0.rows("SELECT digest FROM used_challenges").count }
        #expect(rows == 1, "what would be refused for its age is forgotten")
    }

    @Test("Boot counters move on with what is recorded, and with nothing else") func counters() async throws {
        let database = try await testDatabase()
        let (ledger, node) = try await approvedNode(database)
        func record(_ challenge: UInt8, clock: UInt64) async throws -> (Ledger.Recording, Bool) {
            let entry = entry(challenge)
            let subject = Ledger.Subject(node: node, counters: counters(clock), firmwareVersion: 1)
            let (recording, circumstances) = try await ledger.record(subject) { _ in entry }
            return (recording, circumstances.countersStand)
        }
        #expect(try await record(1, clock: 50) == (.recorded, true))
        #expect(try await record(2, clock: 49) == (.recorded, false))
        #expect(try await record(3, clock: 50) == (.recorded, true))
        #expect(try await record(3, clock: 99) == (.challengeUsed, true))
        #expect(try await record(4, clock: 51) == (.recorded, true))
        #expect(try await record(5, clock: 50) == (.recorded, false))
    }

    @Test("Nothing is written and nothing consumed when the transaction cannot end") func atomic() async throws {
        let database = try await testDatabase()
        let (ledger, node) = try await approvedNode(database)
        try await database.write { connection in
            try connection.execute("DROP TABLE boot_counters")
            try connection.execute("CREATE TABLE boot_counters (ak_name BYTEA PRIMARY KEY, clock BIGINT)")
        }
        let entry = entry(1)
        let subject = Ledger.Subject(node: node, counters: counters(9), firmwareVersion: 1)
        await #expect(throws: StorageError(.refused, "")) { try await ledger.record(subject) { _ in entry } }
        #expect(try await ledger.newest(10).isEmpty)
        #expect(try await ledger.record(entry) == .recorded)
    }

    @Test("A machine that was removed, or is not approved, does not stand") func removed() async throws {
        let database = try await testDatabase()
        let (ledger, node) = try await approvedNode(database)
        let subject = Ledger.Subject(node: node, counters: counters(9), firmwareVersion: 1)
        let first = entry(1), second = entry(2), third = entry(3)
        #expect(try await ledger.record(subject) { _ in first }.1.nodeStands)
        try await database.write { try $0.execute("UPDATE nodes SET approved_at = NULL") }
        #expect(try await !ledger.record(subject) { _ in second }.1.nodeStands)
        #expect(try await NodeStore(database).remove(node.id, now: 1))
        #expect(try await !ledger.record(subject) { _ in third }.1.nodeStands)
    }

    private func counters(_ clock: UInt64) -> BootCounters {
        BootCounters(resetCount: 1, restartCount: 0, clock: clock)
    }

    private func approvedNode(_ database: any SQLDatabase) async throws -> (Ledger, Node) {
        let addition = try await NodeStore(database).add(
            "node", identity(), boot: counters(1), firmwareVersion: 1, approver: "operator", now: 1)
        guard case .added(let node) = addition else { throw StorageError(.conflict, "the node was not added") }
        return (Ledger(database), node)
    }
}
