import CarnetLedger
import CarnetResult
import CarnetStorage
import Cryptography
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// Somebody who can write to the database file, and what an audit sees of it.
@Suite struct LedgerTamperingTests {
    @Test("An untouched ledger is sound, and every entry is counted") func sound() async throws {
        let scene = try await LedgerScene()
        let report = try await scene.audit()
        #expect(report.isSound && report.entryCount == 12 && report.uncheckpointedCount == 0, "\(report.faults)")
        try await scene.write(1)
        let later = try await scene.audit()
        #expect(later.isSound && later.uncheckpointedCount == 2)
        #expect(scene.audit(export: try await scene.export()).faults.map(\.kind) == [.order, .order])
    }

    /// Statement, and the faults that it has to cause, with chain and entry.
    static let edits: [(SQL, LedgerFault.Kind, Int64?)] = [
        ("UPDATE ledger SET body = \(Array("{}".utf8)) WHERE chain = 'a' AND number = 2", .content, 2),
        ("UPDATE ledger SET time = time - 1 WHERE chain = 'a' AND number = 2", .content, 2),
        ("UPDATE ledger SET kind = 'service' WHERE chain = 'a' AND number = 2", .content, 2),
        ("UPDATE ledger SET subject = NULL WHERE chain = 'a' AND number = 2", .content, 2),
        ("UPDATE ledger SET subject = 'x' WHERE chain = 'a' AND number = 0", .content, 0),
        (
            """
            UPDATE ledger SET challenge = \([UInt8](repeating: 0, count: 32))
            WHERE chain = 'a' AND number = 2
            """, .content, 2
        ),
        ("UPDATE ledger SET previous = hash WHERE chain = 'a' AND number = 2", .link, 2),
        ("UPDATE ledger SET hash = previous WHERE chain = 'a' AND number = 5", .content, 5),
        ("DELETE FROM ledger WHERE chain = 'a' AND number = 2", .missing, 2),
        ("DELETE FROM ledger WHERE chain = 'a' AND number = 0", .missing, 0),
        ("DELETE FROM ledger WHERE chain = 'a' AND number < 3", .missing, 0),
        ("DELETE FROM ledger WHERE chain = 'a' AND number = 5", .cut, 5),
        ("DELETE FROM ledger WHERE chain = 'a' AND number > 2", .cut, 3),
        ("DELETE FROM ledger WHERE chain = 'a'", .cut, 0),
        ("DELETE FROM ledger_checkpoints", .checkpoints, nil),
        ("UPDATE ledger_checkpoints SET statement = \([UInt8](repeating: 0, count: 1))", .checkpoints, nil),
        ("UPDATE ledger SET body = \([0xFF] as [UInt8]) WHERE chain = 'a' AND number = 2", .unreadable, 2),
        ("UPDATE ledger SET body = \(Array("{}\n{}".utf8)) WHERE chain = 'a' AND number = 2", .unreadable, 2),
        (
            "UPDATE ledger SET body = \([UInt8](repeating: 0, count: 20_000_000)) WHERE chain = 'a' AND number = 2",
            .unreadable, 2
        ),
        ("UPDATE ledger SET number = -7 WHERE chain = 'a' AND number = 2", .missing, 2),
        ("UPDATE ledger SET number = 9223372036854775807 WHERE chain = 'a' AND number = 5", .cut, 5),
        ("UPDATE ledger SET number = 9223372036854775807 WHERE chain = 'a' AND number = 2", .missing, 2),
        ("UPDATE ledger SET chain = 'c' WHERE chain = 'a' AND number = 5", .cut, 5),
    ]

    /// Values of other types, which columns take where they are not typed.
    static let untypedEdits: [(SQL, LedgerFault.Kind, Int64?)] = [
        ("UPDATE ledger SET body = 7 WHERE chain = 'a' AND number = 2", .unreadable, 2),
        ("UPDATE ledger SET kind = CAST(x'FFFE' AS TEXT) WHERE chain = 'a' AND number = 2", .content, 2),
        ("UPDATE ledger SET time = 'noon' WHERE chain = 'a' AND number = 2", .unreadable, 2),
    ]

    @Test("Every edit is seen, at its place", arguments: edits.indices) func edit(_ index: Int) async throws {
        try await isSeen(Self.edits[index], in: LedgerScene())
    }

    @Test("A value of another type is seen, where SQLite takes one", arguments: untypedEdits.indices)
    func untyped(_ index: Int) async throws {
        try await isSeen(Self.untypedEdits[index], in: LedgerScene(on: .sqlite))
    }

    private func isSeen(_ edit: (SQL, LedgerFault.Kind, Int64?), in scene: LedgerScene) async throws {
        let (statement, kind, number) = edit
        try await scene.spoil(statement)
        let report = try await scene.audit()
        let isFound = report.faults.contains { $0.kind == kind && $0.number == number }
        #expect(isFound, "\(statement.text): \(report.faults)")
    }

    @Test("Swapped, inserted and rewritten entries are seen") func rewriting() async throws {
        let swapped = try await LedgerScene()
        try await swapped.spoil(
            "UPDATE ledger SET number = 99 WHERE chain = 'a' AND number = 2",
            "UPDATE ledger SET number = 2 WHERE chain = 'a' AND number = 3",
            "UPDATE ledger SET number = 3 WHERE chain = 'a' AND number = 99")
        #expect(try await swapped.audit().faults.contains { $0.kind == .content && $0.number == 2 })
        let inserted = try await LedgerScene()
        try await inserted.spoil(
            "UPDATE ledger SET number = number + 100 WHERE chain = 'a' AND number > 2",
            "UPDATE ledger SET number = number - 99 WHERE chain = 'a' AND number > 100",
            """
            INSERT INTO ledger (chain, number, previous, hash, time, kind, subject, body)
            SELECT chain, 3, previous, hash, time, kind, subject, body FROM ledger WHERE chain = 'a' AND number = 2
            """)
        #expect(try await !inserted.audit().isSound)
        // Whoever computes all hashes anew leaves a sound chain, and another one than was signed.
        let forked = try await LedgerScene()
        try await forked.spoil("DELETE FROM ledger WHERE chain = 'a' AND number > 2")
        for _ in 0..<5 {
            try await forked.ledger.append(.service(ServiceStep(isStart: false, version: "forged")), at: 7)
        }
        #expect(try await forked.ledger.faults().isEmpty)
        #expect(try await forked.audit().faults.map(\.kind) == [.checkpoint])
        // The verifier does not sign the fork at the place of what it signed.
        try await forked.spoil("DELETE FROM ledger WHERE chain = 'a' AND number > 4")
        _ = try await forked.checkpoints.make()
        #expect(try await forked.audit().faults.contains { $0.kind == .cut })
    }

    @Test("Of many edits of one byte at random, every one is seen") func random() async throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<16 {
            let scene = try await LedgerScene(4)
            let columns = ["body", "previous", "hash"]
            let column = columns.randomElement(using: &generator) ?? "body"
            let number = Int64.random(in: 0..<4, using: &generator)
            let row = try await scene.database.read {
                try $0.row("SELECT * FROM ledger WHERE chain = 'b' AND number = \(number)")
            }
            var bytes = try #require(try row?.bytes(column))
            let place = bytes.indices.randomElement(using: &generator) ?? 0
            bytes[place] ^= UInt8.random(in: 1...255, using: &generator)
            let edited = bytes
            try await scene.database.write { connection in
                switch column {
                case "body":
                    try connection.execute(
                        "UPDATE ledger SET body = \(edited) WHERE chain = 'b' AND number = \(number)")
                case "hash":
                    try connection.execute(
                        "UPDATE ledger SET hash = \(edited) WHERE chain = 'b' AND number = \(number)")
                default:
                    try connection.execute(
                        "UPDATE ledger SET previous = \(edited) WHERE chain = 'b' AND number = \(number)")
                }
            }
            #expect(try await !scene.audit().isSound, "\(column) of \(number) at \(place)")
        }
    }

    @Test("An export with one byte changed anywhere, one line gone, doubled or moved, is broken") func export()
        async throws
    {
        let scene = try await LedgerScene(3), lines = try await scene.export()
        #expect(scene.audit(export: lines).isSound)
        let file = lines.flatMap { $0 + [UInt8(ascii: "\n")] }
        for place in file.indices {
            // Other tests wait for this thread.
            if place.isMultiple(of: 16) { await Task.yield() }
            var spoilt = file
            spoilt[place] ^= 1
            let read = spoilt.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
            let isWhole = read.last?.isEmpty == true
            #expect(!isWhole || !scene.audit(export: read.dropLast()).isSound, "byte \(place)")
        }
        for index in lines.indices {
            var without = lines, doubled = lines
            without.remove(at: index)
            doubled.insert(lines[index], at: index)
            #expect(!scene.audit(export: without).isSound, "without line \(index)")
            if index < 6 { #expect(!scene.audit(export: doubled).isSound, "line \(index) twice") }
            if index < 5, index != 2 {
                var swapped = lines
                swapped.swapAt(index, index + 1)
                #expect(!scene.audit(export: swapped).isSound, "lines \(index) and the next")
            }
        }
    }

    @Test("A kept checkpoint shows that the database was set back, and that it was replaced") func kept() async throws {
        let scene = try await LedgerScene()
        let old = try await scene.export()
        try await scene.write(2)
        let kept = try await scene.checkpoints.make().token
        #expect(try await scene.audit(kept: kept).isSound)
        var rolledBack = LedgerAudit(keys: scene.keys)
        rolledBack.add(kept: kept)
        for line in old {
            if case .checkpoint(let token)? = LedgerLine(parsing: line) { rolledBack.add(checkpoint: token) }
        }
        for (index, line) in old.enumerated() { rolledBack.add(line, line: Int64(index)) }
        #expect(Set(rolledBack.finish().faults.map(\.kind)) == [.rollback, .cut])
        let stranger = try SigningKey(.generate())
        let other = try await scene.audit(keys: JSONWebKeySet([stranger.keyID: stranger.publicKey]))
        #expect(other.faults.map(\.kind) == [.signature])
        // A checkpoint that somebody else signed, in the name of the verifier's key.
        let forged = try stranger.sign(
            LedgerCheckpoint(issuer: "x", number: 0, issuedAt: 0, previous: LedgerEntryRecord.root, heads: []))
        #expect(try await scene.audit(kept: forged).faults.map(\.kind) == [.signature])
    }
}
