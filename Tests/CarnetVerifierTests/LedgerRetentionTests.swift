import CarnetLedger
import CarnetResult
import CarnetService
import CarnetStorage
import StrictEncoding
import Testing

@testable import CarnetRecords
@testable import CarnetVerifier

/// What is kept, what is dropped, and what a database of the first release brings along.
@Suite struct LedgerRetentionTests {
    private func retention(_ scene: LedgerScene, now: Int64) -> LedgerRetention {
        LedgerRetention(ledger: scene.ledger, clock: WallClock { now })
    }

    @Test("What a checkpoint covers can be dropped, and the rest is still sound") func prune() async throws {
        let scene = try await LedgerScene(6, at: 1_000_000), day: Int64 = 86_400
        let kept = try await scene.checkpoints.last()?.token
        try await scene.write(3, at: 2_000_000)
        #expect(try await retention(scene, now: 3_000_000).prune(before: 999_999, by: "op") == nil)
        await #expect(throws: Problem.self) {
            try await retention(scene, now: 3_000_000).prune(before: 3_000_000 - day + 1, by: "op")
        }
        let pruned = try #require(try await retention(scene, now: 3_000_000).prune(before: 1_000_000, by: "op"))
        #expect(pruned.count == 10 && pruned.checkpoint == 0)
        try await scene.checkpoint(at: 2_000_000)
        let report = try await scene.audit(kept: kept)
        #expect(report.isSound && report.entryCount == 9, "\(report.faults)")
        #expect(scene.audit(export: try await scene.export()).isSound)
        #expect(try await scene.ledger.chains().map(\.first) == [5, 5])
        // Again: there is nothing left to drop, so nothing is written either.
        #expect(try await retention(scene, now: 3_000_000).prune(before: 1_000_000, by: "op") == nil)
        // More than was pruned is missing: the place does not fit.
        try await scene.spoil("DELETE FROM ledger WHERE chain = 'b' AND number = 5")
        #expect(try await scene.audit().faults.contains { $0.kind == .missing && $0.chain == "b" })
        // A spoilt head does not spoil the next checkpoint.
        try await scene.spoil("UPDATE ledger SET hash = \([0] as [UInt8]) WHERE chain = 'a' AND number = 9")
        #expect(UnverifiedCheckpoint(parsing: try await scene.checkpoint(at: 2_000_001).token) != nil)
    }

    @Test("Without the entry that tells of it, a pruning is a removal") func untold() async throws {
        let scene = try await LedgerScene(6)
        try await scene.spoil("DELETE FROM ledger WHERE number < 5")
        #expect(try await scene.audit().faults.map(\.kind) == [.missing, .missing])
    }

    @Test("A challenge that does not run out stays used when its entry is gone") func challenges() async throws {
        let scene = try await LedgerScene(1), zeros = [UInt8](repeating: 0, count: 32)
        func entry(_ challenge: UInt8) -> LedgerEntry {
            LedgerEntry(
                time: 1_000_000, kind: .backgroundCheck, challengeDigest: [UInt8](repeating: challenge, count: 32),
                requester: "r", nodeID: "n", outcome: .affirming, policyDigest: nil, evidenceDigest: [1], tokenID: nil,
                findings: Array("[]".utf8))
        }
        try await scene.spoil(
            """
            INSERT INTO appraisals (writer, number, previous, hash, time, kind, challenge_digest, outcome,
                evidence_digest, findings)
            VALUES ('main', 0, \(zeros), \(zeros), 1, 'background-check',
                \([UInt8](repeating: 9, count: 32)), 'none', \(zeros), \(zeros))
            """,
            """
            INSERT INTO appraisals (writer, number, previous, hash, time, kind, challenge_digest, outcome,
                evidence_digest, findings)
            VALUES ('main', 1, \(zeros), \(zeros), 1, 'passport', \([8] as [UInt8]), 'none', \(zeros), \(zeros))
            """)
        #expect(try await scene.ledger.record(entry(3)) == .recorded)
        #expect(try await scene.ledger.record(entry(9)) == .challengeUsed)
        try await scene.write(1)
        _ = try await scene.checkpoints.make()
        #expect(try await retention(scene, now: 9_000_000).prune(before: 1_000_000, by: "op") != nil)
        let gone = try await scene.database.read { try $0.rows("SELECT * FROM ledger WHERE challenge IS NOT NULL") }
        #expect(gone.isEmpty)
        #expect(try await scene.ledger.record(entry(3)) == .challengeUsed)
        #expect(try await scene.ledger.record(entry(9)) == .challengeUsed)
        #expect(try await scene.ledger.wasUsed([UInt8](repeating: 3, count: 32)))
        #expect(try await scene.ledger.record(entry(4)) == .recorded)
    }

    @Test("A checkpoint says nothing new when nothing was written, and each names the one before")
    func checkpoints() async throws {
        let scene = try await LedgerScene(2)
        let first = try await scene.checkpoints.make(), again = try await scene.checkpoints.make()
        #expect(first.number == 0 && again.number == 0)
        #expect(try await !scene.checkpoints.isDue())
        try await scene.write(1)
        let second = try #require(UnverifiedCheckpoint(parsing: try await scene.checkpoints.make().token))
        #expect(second.unverifiedContent.previous == LedgerCheckpoint.digest(of: first.token))
        #expect(second.unverifiedContent.heads.map(\.number) == [2, 2])
        #expect(second.signature(under: scene.keys) == .valid)
        try await scene.write(500)
        #expect(try await scene.checkpoints.isDue(), "a thousand entries make one due")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { _ = try await scene.checkpoints.make() } }
            try await group.waitForAll()
        }
        #expect(try await scene.audit().isSound)
    }
}
