import Fixtures
import CarnetStorage
import Foundation
import Testing

/// Three steps: a table, a column, a row. The third one is wrong in one test.
@Suite struct MigrationTests {
    private let database: SQLiteDatabase
    private let steps = [
        Migration("Table", ["CREATE TABLE t (id BIGINT)"]),
        Migration("Column", ["ALTER TABLE t ADD COLUMN name TEXT"]),
        Migration("Row", ["INSERT INTO t (id, name) VALUES (1, 'one')", "UPDATE t SET id = 2"]),
    ]

    init() throws {
        let path = TemporaryFolder.path("migration")
        database = try SQLiteDatabase(path: path)
    }

    @Test("Steps run once each, in order") func once() async throws {
        #expect(try await database.migrate(Array(steps.prefix(1)), now: 1) == ["Table"])
        #expect(try await database.migrate(steps, now: 2) == ["Column", "Row"])
        #expect(try await database.migrate(steps, now: 3).isEmpty)
        #expect(try await database.read { try $0.row("SELECT id FROM t WHERE name = 'one'")?.integer("id") } == 2)
        let times = try await database.read { connection in
            try connection.rows("SELECT applied_at FROM schema_migrations ORDER BY number")
                .map { try $0.integer("applied_at") }
        }
        #expect(times == [1, 2, 2])
    }

    @Test("A step that fails leaves nothing of itself or of those before it") func failure() async throws {
        let broken = Migration("Broken", ["CREATE TABLE u (id BIGINT)", "INSERT INTO nowhere (id) VALUES (1)"])
        await #expect(throws: StorageError(.refused, "")) { try await database.migrate(steps + [broken], now: 1) }
        #expect(try await database.migrate(steps, now: 2) == ["Table", "Column", "Row"])
    }

    @Test("A database of a newer program, and a step that was changed later, are refused") func mismatch() async throws
    {
        try await database.migrate(steps, now: 1)
        await #expect(throws: StorageError(.schemaMismatch, "")) {
            try await database.migrate(Array(steps.prefix(2)), now: 2)
        }
        await #expect(throws: StorageError(.schemaMismatch, "")) {
            try await database.migrate([steps[0], Migration("Other", []), steps[2]], now: 2)
        }
    }
}
