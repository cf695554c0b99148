import CarnetStorage
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

    @Test("Each writer's entries are chained; a change, a removal and a swap are seen") func chain() async throws {
        let spoil: [(SQL, Int64?)] = [
            ("SELECT 1", nil), ("UPDATE appraisals SET outcome = 'affirming' WHERE number = 1", 1),
            ("UPDATE appraisals SET findings = x'5B205D' WHERE number = 2", 2),
            ("UPDATE appraisals SET node_id = NULL WHERE number = 0", 0),
            ("UPDATE appraisals SET previous = x'00' WHERE number = 2", 2),
            ("DELETE FROM appraisals WHERE number = 1", 2), ("DELETE FROM appraisals WHERE number = 0", 1),
            ("UPDATE appraisals SET number = number + 1", 1),
        ]
        for (statement, broken) in spoil {
            let database = try await testDatabase()
            let ledger = Ledger(database)
            for number in 0..<4 { _ = try await ledger.record(entry(UInt8(number), outcome: .contraindicated)) }
            try await database.write { connection in
                if statement.text.hasPrefix("UPDATE appraisals SET number") {
                    try connection.execute("UPDATE appraisals SET number = number + 100")
                    try connection.execute("UPDATE appraisals SET number = number - 99")
                } else if statement.text != "SELECT 1" {
                    try connection.execute(statement)
                }
            }
            #expect(try await ledger.firstBrokenLink() == broken, "\(statement.text)")
        }
    }

    @Test("Nothing is written, and no clock moves, when the decision fails or the challenge was used") func atomic()
        async throws
    {
        struct Abandoned: Error {}
        let database = try await testDatabase()
        let (ledger, node) = try await approvedNode(database)
        let old = counters(5), new = counters(6)
        let entry = entry(1), second = self.entry(2), third = self.entry(3), fourth = self.entry(4)
        _ = try await ledger.record(Ledger.Subject(node: node, counters: old)) { _ in (entry, true, ()) }
        await #expect(throws: Abandoned.self) {
            try await ledger.record(Ledger.Subject(node: node, counters: new)) { _ -> (LedgerEntry, Bool, Int) in
                throw Abandoned()
            }
        }
        let replay = try await ledger.record(Ledger.Subject(node: node, counters: new)) { (entry, true, $0) }
        #expect(replay.0 == .challengeUsed)
        #expect(replay.1.lastCounters == old)
        let still = try await ledger.record(Ledger.Subject(node: node, counters: new)) { (second, false, $0) }
        #expect(still.0 == .recorded && still.1.lastCounters == old)
        let moving = try await ledger.record(Ledger.Subject(node: node, counters: new)) { (third, true, $0) }
        #expect(moving.1.lastCounters == old)
        let moved = try await ledger.record(Ledger.Subject(node: node, counters: new)) { (fourth, true, $0) }
        #expect(moved.1.lastCounters == new)
    }

    @Test("A machine that was removed or changed since the appraisal began does not stand") func removed() async throws
    {
        let database = try await testDatabase()
        let (ledger, node) = try await approvedNode(database)
        let subject = Ledger.Subject(node: node, counters: counters(1))
        let first = entry(1), second = entry(2)
        #expect(try await ledger.record(subject) { (first, true, $0) }.1.nodeStands)
        #expect(try await NodeStore(database).remove(node.id))
        let (recording, circumstances) = try await ledger.record(subject) { (second, false, $0) }
        #expect(recording == .recorded)
        #expect(!circumstances.nodeStands && circumstances.lastCounters == nil)
    }

    private func counters(_ clock: UInt64) -> BootCounters.State {
        BootCounters.State(clock: clock, resetCount: 1, restartCount: 0, firmwareVersion: 1)
    }

    private func approvedNode(_ database: any SQLDatabase) async throws -> (Ledger, Node) {
        let addition = try await NodeStore(database).add(
            "node", identity(), counters: counters(1), approver: "operator", now: 1)
        guard case .added(let node) = addition else { throw StorageError(.conflict, "the node was not added") }
        return (Ledger(database), node)
    }
}
