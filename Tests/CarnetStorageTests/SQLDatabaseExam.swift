import CarnetStorage
import Dispatch
import Testing

/// What every ``SQLDatabase`` has to pass, whatever engine is behind it. A new engine calls ``run(_:)`` from its own suite
/// with an empty database.
struct SQLDatabaseExam {
    let database: any SQLDatabase
    /// Whether a transaction can run while another does: not over a single connection.
    var overlaps = true

    func run() async throws {
        try await database.write { connection in
            try connection.execute("CREATE TABLE exam (id BIGINT PRIMARY KEY, name TEXT UNIQUE, content BYTEA)")
        }
        try await everyKindOfValueComesBack()
        try await countsChangedRows()
        try await conflictsAreNamed()
        try await failedTransactionsLeaveNothing()
        try await readsCannotWrite()
        try await badStatementsAreRefused()
        try await transactionsAreIsolated()
        try await exactlyOneOfManyWritersWins()
        try await bigValuesComeBack()
        try await textIsStrict()
        try await onlyChangedRowsCount()
        try await anErrorThatIsCaughtStillEndsTheTransaction()
        try await rowsOfWritesComeBack()
        try await orderIsThatOfTheBytes()
        try await otherKindsAreNotGuessed()
        try await decisionsOnWhatWasReadAreIsolated()
        try await insertsAfterTheLastAreIsolated()
        if overlaps { try await readsSeeOneState() }
    }

    private func everyKindOfValueComesBack() async throws {
        let values: [(Int64, String?, [UInt8]?)] = [
            (.min, "", []), (.max, "a'b\"c;--ü\n\u{1F512}", [0, 1, 255, 0]), (0, nil, nil),
            (1, "0123", Array("0123".utf8)),
        ]
        for (id, name, content) in values {
            try await database.write { connection in
                try connection.execute("INSERT INTO exam (id, name, content) VALUES (\(id), \(name), \(content))")
            }
            let row = try #require(
                await database.read { connection in
                    try connection.row("SELECT id, name, content FROM exam WHERE id = \(id)")
                })
            #expect(try row.integer("id") == id)
            #expect(try row.optionalText("name") == name)
            #expect(try row.optionalBytes("content") == content)
        }
        let byContent = try await database.read { connection in
            try connection.rows("SELECT id FROM exam WHERE content = \(Array("0123".utf8))").count
        }
        #expect(byContent == 1)
        try await empty()
    }

    private func countsChangedRows() async throws {
        let counts = try await database.write { connection in
            [
                try connection.execute("INSERT INTO exam (id, name) VALUES (1, 'a'), (2, 'b')"),
                try connection.execute("INSERT INTO exam (id, name) VALUES (1, 'c') ON CONFLICT DO NOTHING"),
                try connection.execute("INSERT INTO exam (id, name) VALUES (3, 'b') ON CONFLICT (name) DO NOTHING"),
                try connection.execute("UPDATE exam SET name = 'd' WHERE id = 2"),
                try connection.execute("DELETE FROM exam WHERE id = 7"),
                try connection.execute("DELETE FROM exam"),
            ]
        }
        #expect(counts == [2, 0, 0, 1, 0, 2])
    }

    private func conflictsAreNamed() async throws {
        try await database.write { try $0.execute("INSERT INTO exam (id, name) VALUES (1, 'a')") }
        for statement: SQL in [
            "INSERT INTO exam (id, name) VALUES (1, 'b')", "INSERT INTO exam (id, name) VALUES (2, 'a')",
        ] {
            await #expect(throws: StorageError(.conflict, "")) {
                try await database.write { try $0.execute(statement) }
            }
        }
        try await empty()
    }

    private func failedTransactionsLeaveNothing() async throws {
        struct Abandoned: Error {}
        await #expect(throws: Abandoned.self) {
            try await database.write { connection in
                try connection.execute("INSERT INTO exam (id) VALUES (1)")
                throw Abandoned()
            }
        }
        #expect(try await count() == 0)
    }

    private func readsCannotWrite() async throws {
        await #expect(throws: StorageError.self) {
            try await database.read { connection in
                try connection.execute("INSERT INTO exam (id) VALUES (1)")
            }
        }
        #expect(try await count() == 0)
    }

    private func badStatementsAreRefused() async throws {
        await #expect(throws: StorageError(.refused, "")) {
            try await database.write { try $0.execute("INSERT INTO nowhere (id) VALUES (1)") }
        }
        await #expect(throws: StorageError(.refused, "")) {
            _ = try await database.read { try $0.rows("SELEKT 1") }
        }
        try await database.write { try $0.execute("INSERT INTO exam (id, name) VALUES (1, 'a')") }
        let row = try #require(try await database.read { try $0.row("SELECT id, name FROM exam") })
        #expect(throws: StorageError(.unexpectedValue, "")) { try row.text("id") }
        #expect(throws: StorageError(.unexpectedValue, "")) { try row.integer("name") }
        #expect(throws: StorageError(.unexpectedValue, "")) { try row.bytes("name") }
        #expect(throws: StorageError(.unexpectedValue, "")) { try row.text("absent") }
        try await empty()
    }

    /// Read, add one, write: no addition is lost, however many run at once.
    private func transactionsAreIsolated() async throws {
        try await database.write { try $0.execute("INSERT INTO exam (id, name) VALUES (1, '0')") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await database.write { connection in
                        let row = try connection.row("SELECT name FROM exam WHERE id = 1")
                        let next = (Int(try row?.text("name") ?? "") ?? -1000) + 1
                        try connection.execute("UPDATE exam SET name = \(String(next)) WHERE id = 1")
                    }
                }
            }
            try await group.waitForAll()
        }
        let last = try await database.read { try $0.row("SELECT name FROM exam")?.text("name") }
        #expect(last == "20")
        try await empty()
    }

    private func exactlyOneOfManyWritersWins() async throws {
        let winners = try await withThrowingTaskGroup(of: Int.self) { group in
            for id in 0..<20 {
                group.addTask {
                    try await database.write { connection in
                        try connection.execute(
                            "INSERT INTO exam (id, name) VALUES (\(Int64(id)), 'same') ON CONFLICT (name) DO NOTHING")
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(winners == 1)
        try await empty()
    }

    fileprivate func count() async throws -> Int {
        try await database.read { try $0.rows("SELECT id FROM exam").count }
    }

    fileprivate func empty() async throws {
        try await database.write { try $0.execute("DELETE FROM exam") }
    }
}

extension SQLDatabaseExam {
    private func bigValuesComeBack() async throws {
        let content = (0..<(5 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let name = String(repeating: "ü\u{1F512}", count: 400)
        try await database.write { connection in
            try connection.execute("INSERT INTO exam (id, name, content) VALUES (1, \(name), \(content))")
        }
        let row = try #require(try await database.read { try $0.row("SELECT name, content FROM exam") })
        #expect(try row.bytes("content") == content)
        #expect(try row.text("name") == name)
        let length = try await database.read { connection in
            try connection.row("SELECT SUM(LENGTH(content)) AS bytes FROM exam")?.integer("bytes")
        }
        #expect(length == Int64(content.count))
        try await empty()
    }

    /// NUL is refused, in a value and in a statement; texts that only look the same are different.
    private func textIsStrict() async throws {
        for statement: SQL in [
            "INSERT INTO exam (id, name) VALUES (1, \("a\u{0}b"))", "INSERT INTO exam (id) VALUES (1)\u{0}; nonsense",
        ] {
            await #expect(throws: StorageError(.refused, "")) {
                try await database.write { try $0.execute(statement) }
            }
        }
        let composed = "\u{E9}", decomposed = "e\u{301}"
        try await database.write { connection in
            try connection.execute("INSERT INTO exam (id, name) VALUES (1, \(composed)), (2, \(decomposed))")
        }
        let found = try await database.read { try $0.rows("SELECT id FROM exam WHERE name = \(decomposed)") }
        #expect(try found.map { try $0.integer("id") } == [2])
        try await empty()
    }

    private func onlyChangedRowsCount() async throws {
        let counts = try await database.write { connection in
            [
                try connection.execute("INSERT INTO exam (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')"),
                try connection.execute("CREATE TABLE exam_of_counts (id BIGINT)"),
                try connection.execute("SELECT id FROM exam"),
                try connection.execute("DROP TABLE exam_of_counts"),
                try connection.execute(
                    "INSERT INTO exam (id, name) VALUES (1, 'd') ON CONFLICT (id) DO UPDATE SET name = excluded.name"),
                try connection.execute("UPDATE exam SET name = NULL WHERE name = \(nil as String?)"),
                try connection.execute("UPDATE exam SET content = \(nil as [UInt8]?)"),
            ]
        }
        #expect(counts == [3, 0, 0, 0, 1, 0, 3])
        try await empty()
    }

    private func anErrorThatIsCaughtStillEndsTheTransaction() async throws {
        try await database.write { try $0.execute("INSERT INTO exam (id, name) VALUES (1, 'a')") }
        await #expect(throws: StorageError(.conflict, "")) {
            try await database.write { connection in
                try connection.execute("INSERT INTO exam (id, name) VALUES (2, 'b')")
                _ = try? connection.execute("INSERT INTO exam (id, name) VALUES (1, 'c')")
                #expect(throws: StorageError(.conflict, "")) { try connection.rows("SELECT id FROM exam") }
            }
        }
        #expect(try await count() == 1)
        struct Translated: Error {}
        await #expect(throws: Translated.self) {
            try await database.write { connection in
                do {
                    try connection.execute("INSERT INTO exam (id, name) VALUES (1, 'c')")
                } catch { throw Translated() }
            }
        }
        try await empty()
    }

    private func rowsOfWritesComeBack() async throws {
        let returned = try await database.write { connection in
            try connection.rows("INSERT INTO exam (id, name) VALUES (7, 'a') RETURNING id, name")
        }
        #expect(try returned.map { try $0.integer("id") } == [7])
        let literal = try await database.read {
            try $0.row("SELECT 1 AS one, COUNT(*) AS many, MAX(id) AS last FROM exam")
        }
        #expect(try literal?.integer("one") == 1 && literal?.integer("many") == 1 && literal?.integer("last") == 7)
        try await empty()
    }

    private func orderIsThatOfTheBytes() async throws {
        let names = ["-", "A", "B", "Z", "a", "a b", "a-b", "aa", "b", "z", "\u{E4}", "\u{1F512}"]
        try await database.write { connection in
            for (id, name) in names.reversed().enumerated() {
                try connection.execute("INSERT INTO exam (id, name) VALUES (\(Int64(id)), \(name))")
            }
        }
        let ordered = try await database.read { try $0.rows("SELECT name FROM exam ORDER BY name") }
        #expect(try ordered.map { try $0.text("name") } == names)
        try await empty()
    }

    private func otherKindsAreNotGuessed() async throws {
        await #expect(throws: StorageError(.unexpectedValue, "")) {
            _ = try await database.read { try $0.rows("SELECT 1.5 AS fraction") }
        }
    }

    /// Write skew: each may go as long as another stays. Both look, both see the other; only one may go.
    private func decisionsOnWhatWasReadAreIsolated() async throws {
        for _ in 0..<5 {
            try await database.write { try $0.execute("INSERT INTO exam (id, name) VALUES (1, 'a'), (2, 'b')") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id: Int64 in 1...2 {
                    group.addTask {
                        try await database.write { connection in
                            guard try connection.rows("SELECT id FROM exam").count == 2 else { return }
                            try connection.execute("DELETE FROM exam WHERE id = \(id)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await count() == 1)
            try await empty()
        }
    }

    /// Each takes the number after the last, as the ledger does: none is given twice and none is left out.
    private func insertsAfterTheLastAreIsolated() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    try await database.write { connection in
                        let last = try connection.row("SELECT id FROM exam ORDER BY id DESC LIMIT 1")
                        let next = try last.map { try $0.integer("id") + 1 } ?? 0
                        try connection.execute("INSERT INTO exam (id) VALUES (\(next))")
                    }
                }
            }
            try await group.waitForAll()
        }
        let ids = try await database.read { try $0.rows("SELECT id FROM exam ORDER BY id") }
        #expect(try ids.map { try $0.integer("id") } == Array(0..<40))
        try await empty()
    }

    /// What is written meanwhile is not seen by a transaction that reads.
    private func readsSeeOneState() async throws {
        let (looked, announce) = AsyncStream<Void>.makeStream()
        let written = DispatchSemaphore(value: 0)
        async let counts = database.read { connection in
            let first = try connection.rows("SELECT id FROM exam").count
            announce.yield()
            written.wait()
            return [first, try connection.rows("SELECT id FROM exam").count]
        }
        for await _ in looked { break }
        try await database.write { try $0.execute("INSERT INTO exam (id) VALUES (1)") }
        written.signal()
        #expect(try await counts == [0, 0])
        #expect(try await count() == 1)
        try await empty()
    }
}
