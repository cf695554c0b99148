import CarnetStorage
import Testing

/// What every ``SQLDatabase`` has to pass, whatever engine is behind it. A new engine calls ``run(_:)`` from its own suite
/// with an empty database.
struct SQLDatabaseExam {
    let database: any SQLDatabase

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

    private func count() async throws -> Int {
        try await database.read { try $0.rows("SELECT id FROM exam").count }
    }

    private func empty() async throws {
        try await database.write { try $0.execute("DELETE FROM exam") }
    }
}
