import CarnetLedger
import CarnetStorage
import Fixtures
import StrictEncoding
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// A database that an earlier release wrote.
@Suite struct OlderLedgerTests {
    /// Three rows as that release wrote them, and then this one's schema.
    private func scene(
        on engine: TestDatabasePlace.Engine = TestDatabasePlace.usualEngine
    ) async throws -> LedgerScene {
        let scene = try await LedgerScene(0, on: engine)
        var previous = LedgerEntryRecord.root
        for number in Int64(0)..<3 {
            let record = OlderLedgerRecord(
                writer: "main", number: number, previous: previous, time: 10 + number, kind: "passport",
                challenge: [UInt8](repeating: UInt8(number), count: 32), requester: nil, node: "n",
                outcome: "affirming",
                policy: [1], evidence: [2], token: "jti", findings: Array("[]".utf8))
            let hash = record.hash
            try await scene.database.write { connection in
                try connection.execute(
                    """
                    INSERT INTO appraisals (writer, number, previous, hash, time, kind, challenge_digest, requester,
                        node_id, outcome, policy_digest, evidence_digest, token_id, findings)
                    VALUES ('main', \(number), \(record.previous), \(hash), \(record.time), 'passport',
                        \(record.challenge), NULL, 'n', 'affirming', \(record.policy), \(record.evidence), 'jti',
                        \(record.findings))
                    """)
            }
            previous = hash
        }
        try await scene.write(1)
        _ = try await scene.checkpoints.make()
        return scene
    }

    @Test("Its entries stay as they are, are signed with the others, and can be checked and exported")
    func sound() async throws {
        let scene = try await scene()
        let report = try await scene.audit()
        #expect(report.isSound && report.heads.map(\.chain) == ["a", "b", "v1/main"], "\(report.faults)")
        #expect(scene.audit(export: try await scene.export()).isSound)
        #expect(try await scene.ledger.newest(10, nodeID: "n").count == 3)
        #expect(try await scene.ledger.wasUsed([UInt8](repeating: 1, count: 32)))
    }

    @Test(
        "A change in them is seen",
        arguments: [
            "UPDATE appraisals SET outcome = 'none' WHERE number = 1",
            "UPDATE appraisals SET findings = \(Array("[ ]".utf8)) WHERE number = 2",
            "UPDATE appraisals SET node_id = NULL WHERE number = 0", "DELETE FROM appraisals WHERE number = 1",
            "DELETE FROM appraisals WHERE number = 2", "DELETE FROM appraisals",
            "UPDATE appraisals SET previous = \([0] as [UInt8]) WHERE number = 2",
        ] as [SQL])
    func spoilt(_ statement: SQL) async throws {
        let scene = try await scene()
        try await scene.spoil(statement)
        #expect(try await !scene.audit().isSound)
    }

    @Test("Text where bytes were is seen, where SQLite takes it") func untyped() async throws {
        let scene = try await scene(on: .sqlite)
        try await scene.spoil("UPDATE appraisals SET findings = 'text' WHERE number = 2")
        #expect(try await !scene.audit().isSound)
    }

    @Test("Hashes are those that an independent program computes (Python's hashlib)") func vector() {
        let record = OlderLedgerRecord(
            writer: "main", number: 0, previous: LedgerEntryRecord.root, time: 1, kind: "passport",
            challenge: [UInt8](repeating: 1, count: 32), requester: nil, node: "node", outcome: "affirming",
            policy: [1], evidence: [2], token: "jti", findings: Array("[]".utf8))
        #expect(Hexadecimal.encode(record.hash) == "bde53ac263ebbfd0911258eba86ed5c14cf3745fc1f984eced9e0f85e9a77ba5")
        let second = LedgerEntryRecord(
            chain: "a", number: 7, previous: [UInt8](repeating: 1, count: 32), time: 5, kind: "service", subject: nil,
            challenge: [UInt8](repeating: 2, count: 32), body: Array("{}".utf8))
        #expect(Hexadecimal.encode(second.hash) == "da282576988edb91d973964e810724ee2afec3e62d474768d1ef903a004cd9cc")
    }
}
