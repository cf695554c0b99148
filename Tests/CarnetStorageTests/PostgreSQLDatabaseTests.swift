import CarnetStorage
import Fixtures
import Foundation
import Synchronization
import Testing

/// A real server, shared with other suites; each test has a database of its own in it.
@Suite(.enabled(if: PostgreSQLServer.isInstalled, Comment(rawValue: PostgreSQLServer.skipReason)))
struct PostgreSQLDatabaseTests {
    private let server: PostgreSQLServer, address: String

    init() throws {
        server = try #require(try PostgreSQLServer.shared())
        address = try server.makeDatabase()
    }

    private func open(_ configure: (inout PostgreSQLSettings) -> Void = { _ in }) async throws -> PostgreSQLDatabase {
        var settings = PostgreSQLSettings()
        configure(&settings)
        return try await .open(try PostgreSQLAddress(parsing: address), settings)
    }

    @Test("PostgreSQL passes the exam of a database") func exam() async throws {
        try await SQLDatabaseExam(database: open()).run()
    }

    @Test("One connection is enough for everything") func oneConnection() async throws {
        try await SQLDatabaseExam(database: open { $0.maximumConnectionCount = 1 }, overlaps: false).run()
    }

    @Test("Of eight programs that start at once on an empty database, one makes the schema and all find it")
    func migrators() async throws {
        let steps = [
            Migration("Table", ["CREATE TABLE t (id BIGINT)", "CREATE INDEX t_by_id ON t (id)"]),
            Migration("Row", ["INSERT INTO t (id) VALUES (1)"]),
        ]
        for _ in 0..<3 {
            let address = try PostgreSQLAddress(parsing: server.makeDatabase())
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<8 {
                    group.addTask { try await PostgreSQLDatabase.open(address).migrate(steps, now: 1) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(applied.filter { $0 == ["Table", "Row"] }.count == 1 && applied.filter(\.isEmpty).count == 7)
            let rows = try await PostgreSQLDatabase.open(address).read { try $0.rows("SELECT id FROM t").count }
            #expect(rows == 1)
        }
    }

    @Test("A migration may wait for another longer than anything else may wait") func patientMigrator() async throws {
        let first = try await open(), second = try await open { $0.timeout = 0.1 }
        let (started, announce) = AsyncStream<Void>.makeStream()
        let hasEnded = Atomic<Bool>(false)
        async let slow = first.writeAlone { _ in
            announce.yield()
            usleep(600_000)
            hasEnded.store(true, ordering: .sequentiallyConsistent)
            return 1
        }
        for await _ in started { break }
        let waited = try await second.writeAlone { _ in hasEnded.load(ordering: .sequentiallyConsistent) }
        #expect(waited)
        #expect(try await slow == 1)
    }

    @Test("A statement that another program's migration outdated runs all the same") func outdated() async throws {
        let old = try await open { $0.maximumConnectionCount = 1 }, new = try await open()
        try await old.write { try $0.execute("CREATE TABLE t (id BIGINT)") }
        try await old.write { try $0.execute("INSERT INTO t (id) VALUES (1)") }
        let look: @Sendable (any SQLConnection) throws -> Int64? = { try $0.row("SELECT * FROM t")?.integer("id") }
        #expect(try await old.read(look) == 1)
        try await new.write { try $0.execute("ALTER TABLE t ADD COLUMN name TEXT") }
        #expect(try await old.read(look) == 1)
        try await new.write { try $0.execute("ALTER TABLE t ADD COLUMN more TEXT") }
        #expect(try await old.write(look) == 1)
    }

    @Test("No error repeats a value") func silence() async throws {
        let database = try await open()
        try await database.write { try $0.execute("CREATE TABLE t (name TEXT PRIMARY KEY, other TEXT NOT NULL)") }
        let secret = "wholly-secret"
        for statement: SQL in [
            "INSERT INTO t (name, other) VALUES (\(secret), 'a'), (\(secret), 'b')",
            "INSERT INTO t (name, other) VALUES (\(secret), \(nil as String?))",
            "INSERT INTO t (name, other) VALUES (CAST(CAST(\(secret) AS BIGINT) AS TEXT), 'a')",
        ] {
            do {
                try await database.write { try $0.execute(statement) }
                Issue.record("accepted")
            } catch let error as StorageError {
                #expect(error.code != .unavailable && error.reason.hasPrefix("PostgreSQL 2"))
                #expect(!error.reason.contains("secret"))
            }
        }
    }

    @Test("A body that ends its own transaction is refused, and its connection is not used again") func ownCommit()
        async throws
    {
        let database = try await open { $0.maximumConnectionCount = 1 }
        for statement: SQL in ["COMMIT", "ROLLBACK", ""] {
            await #expect(throws: StorageError(.refused, "")) {
                try await database.write { try $0.execute(statement) }
            }
        }
        await #expect(throws: StorageError.self) {
            try await database.write { try $0.execute("COPY pg_class TO STDOUT") }
        }
        #expect(try await database.read { try $0.row("SELECT 1 AS one")?.integer("one") } == 1)
    }

    @Test("A database that cannot keep the promises is refused with what to do") func requirements() async throws {
        let clauses = [
            ("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'", "ENCODING 'UTF8'"),
            ("LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C'", "LC_COLLATE 'C'"),
        ]
        for (number, (clause, advice)) in clauses.enumerated() {
            let name = "odd_\(number)"
            _ = try? server.sql("DROP DATABASE IF EXISTS \(name)")
            _ = try server.sql("CREATE DATABASE \(name) OWNER \(PostgreSQLServer.role) TEMPLATE template0 \(clause)")
            try await refuses(server.address(name), advice)
        }
        let name = String(address.split(separator: "/").last ?? "")
        _ = try server.sql("ALTER DATABASE \(name) SET synchronous_commit = off")
        try await refuses(address, "synchronous_commit")
    }

    private func refuses(_ address: String, _ advice: String) async throws {
        do {
            _ = try await PostgreSQLDatabase.open(try PostgreSQLAddress(parsing: address))
            Issue.record("accepted")
        } catch let error as StorageError {
            #expect(error.code == .refused && error.reason.contains(advice))
        }
    }

    @Test("A wrong password is told without it, and so is a server that is not there") func unreachable() async throws {
        for address in [
            address.replacing(PostgreSQLServer.password, with: "wrong-secret"),
            "postgresql://carnet:wrong-secret@127.0.0.1:1/x",
        ] {
            do {
                _ = try await PostgreSQLDatabase.open(try PostgreSQLAddress(parsing: address))
                Issue.record("accepted")
            } catch let error as StorageError {
                #expect(error.code == .unavailable && error.reason.contains("127.0.0.1"))
                #expect(!error.reason.contains("secret"))
            }
        }
    }

    @Test("A closed database is unavailable") func closed() async throws {
        let database = try await open()
        database.close()
        await #expect(throws: StorageError(.unavailable, "")) {
            _ = try await database.read { try $0.rows("SELECT 1") }
        }
    }
}
