import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Two verifiers on one PostgreSQL database, each with a data directory of its own, and with one key-encryption key.
@Suite(.serialized, .enabled(if: PostgreSQLServer.isInstalled, Comment(rawValue: PostgreSQLServer.skipReason)))
struct ReplicaTests {
    private let first: VerifierUnderTest, second: VerifierUnderTest

    init() throws {
        let key = TemporaryFolder.path("kek")
        let policy = try SimulatedTPM.policyFile()
        first = try VerifierUnderTest(on: .postgreSQL) {
            $0.keyEncryptionKey = .file(key)
            $0.policyFile = policy
        }
        second = try VerifierUnderTest(on: .postgreSQL, sharing: first.database) { $0.keyEncryptionKey = .file(key) }
    }

    private func withBoth(_ body: @Sendable (ServiceClient, ServiceClient) async throws -> Void) async throws {
        try await first.run { one in try await second.run { other in try await body(one, other) } }
    }

    @Test("Enrolment, challenge and evidence may each reach another replica") func story() async throws {
        try await withBoth { one, other in
            let tpm = try SimulatedTPM()
            let atOne = SimulatedMachine(tpm, one), atOther = SimulatedMachine(tpm, other)
            let admin = try first.administrator
            let digest = Hexadecimal.encode(try tpm.fingerprint)
            _ = try await one.send(.post, "/admin/v1/endorsement-keys", token: admin, #"{"sha256":"\#(digest)"}"#)
            let invitation = try atOne.open(await atOne.begin())
            let activated = try await atOther.activate(invitation)
            #expect(activated.status == 200)
            let answer = try await atOther.answer(atOne.session())
            #expect(try answer.json["status"]?.string == "complete")
            let passport = Array(try #require(try answer.json["result"]?.string).utf8)
            let id = try #require(try activated.json["id"]?.string)
            let keys = [
                try await one.call(.get, "/.well-known/jwks.json").body,
                try await other.call(.get, "/.well-known/jwks.json").body,
            ]
            #expect(keys[0] == keys[1])
            _ = try await Office.relyingParty(one).verify(passport, at: first.clock.now)
            // Withdrawn at one, refused with the lists of the other.
            let revoked = try await one.send(
                .post, "/admin/v1/revocations", token: admin, #"{"node":"\#(id)","reason":"a test"}"#)
            #expect(revoked.status == 201 || revoked.status == 200)
            let relyingParty = try await Office.relyingParty(other)
            #expect(throws: Refusal.self) { try relyingParty.verify(passport, at: first.clock.now) }
            let appraisals = try await other.call(.get, "/admin/v1/appraisals?limit=10", token: admin)
            #expect(try appraisals.json["appraisals"]?.count == 2)
            #expect(try await Ledger(first.database.open()).faults().isEmpty)
        }
    }

    @Test("Of answers to one challenge that race at both, one gets a passport") func race() async throws {
        try await withBoth { one, other in
            let machine = SimulatedMachine(try SimulatedTPM(), one)
            try await machine.enrol(administrator: first.administrator)
            let atOther = SimulatedMachine(machine.tpm, other)
            for _ in 0..<3 {
                let session = try await machine.session()
                let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
                let answers = try await withThrowingTaskGroup(of: ServiceClient.Answer.self) { group in
                    for index in 0..<8 {
                        group.addTask {
                            try await (index % 2 == 0 ? machine : atOther).send(evidence, to: session)
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                let passports = answers.filter { $0.text.contains("eyJ") }
                #expect(passports.count == 1)
                #expect(answers.allSatisfy { $0.status < 500 }, "\(answers.map(\.status))")
            }
            let ledger = Ledger(try await first.database.open())
            #expect(try await ledger.faults().isEmpty)
            #expect(try await ledger.newest(100).count == 3)
        }
    }

    @Test("Of activations of one enrolment that race at both, one makes the machine") func enrolmentRace() async throws
    {
        try await withBoth { one, other in
            let admin = try first.administrator
            for round in 0..<3 {
                let machine = SimulatedMachine(try SimulatedTPM(), named: "node-\(round)", one)
                let atOther = SimulatedMachine(machine.tpm, named: "node-\(round)", other)
                let digest = Hexadecimal.encode(try machine.tpm.fingerprint)
                _ = try await one.send(.post, "/admin/v1/endorsement-keys", token: admin, #"{"sha256":"\#(digest)"}"#)
                let invitation = try machine.open(await machine.begin())
                let answers = try await withThrowingTaskGroup(of: ServiceClient.Answer.self) { group in
                    for index in 0..<8 {
                        group.addTask { try await (index % 2 == 0 ? machine : atOther).activate(invitation) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers.allSatisfy { $0.status < 500 }, "\(answers.map(\.status))")
                let made = try answers.filter { $0.status == 200 }.map { try $0.json["id"]?.string }
                #expect(made.count >= 1 && Set(made).count == 1, "\(made)")
            }
            let (machines, entries) = try await first.database.open().read { connection in
                (
                    try connection.rows("SELECT id FROM nodes").count,
                    try connection.rows("SELECT number FROM ledger WHERE kind = 'enrolment-activated'").count
                )
            }
            #expect(machines == 3 && entries == 3)
        }
    }

    @Test("Many machines at both replicas at once: every passport has its row, and the chain holds") func crowd()
        async throws
    {
        try await withBoth { one, other in
            let admin = try first.administrator
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<12 {
                    group.addTask {
                        let machine = SimulatedMachine(
                            try SimulatedTPM(), named: "node-\(index)", index % 2 == 0 ? one : other)
                        try await machine.enrol(administrator: admin)
                        for _ in 0..<2 {
                            let answer = try await machine.answer(machine.session())
                            #expect(try answer.json["status"]?.string == "complete", "\(answer.text)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let ledger = Ledger(try await first.database.open())
            #expect(try await ledger.faults().isEmpty)
            let entries = try await ledger.newest(100)
            #expect(entries.count == 24 && Set(entries.compactMap(\.tokenID)).count == 24)
        }
    }

    @Test("Eight programs that start at once on an empty database make one schema") func schema() async throws {
        let place = try TestDatabasePlace(.postgreSQL)
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { try await place.open().migrate(Schema.migrations, now: 1).count }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(applied.sorted() == [0, 0, 0, 0, 0, 0, 0, Schema.migrations.count])
    }

    @Test("What cannot be written is unavailable on PostgreSQL too, and a passport needs its row") func locked()
        async throws
    {
        try await first.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: first.administrator)
            let session = try await machine.session()
            let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
            try await first.database.whileLocked {
                let answer = try await machine.send(evidence, to: session)
                #expect(answer.status == 503 && answer.problem == "unavailable" && !answer.text.contains("eyJ"))
            }
            #expect(try await machine.send(evidence, to: session).json["status"]?.string == "complete")
        }
        #expect(!first.log.text.joined().contains(PostgreSQLServer.password))
    }
}
