import Fixtures
import CarnetStorage
import Foundation
import Testing

/// Each test has a folder of its own with a database in it.
@Suite struct SQLiteDatabaseTests {
    private let folder = URL(filePath: TemporaryFolder.path("storage"))
    private var path: String { folder.appending(path: "test.sqlite").path }

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    @Test("SQLite passes the exam of a database") func exam() async throws {
        try await SQLDatabaseExam(database: SQLiteDatabase(path: path)).run()
        try FileManager.default.removeItem(at: folder)
    }

    @Test("The file and its logs can be read by their owner only") func fileMode() async throws {
        let database = try SQLiteDatabase(path: path)
        try await database.write { try $0.execute("CREATE TABLE t (id BIGINT)") }
        for suffix in ["", "-wal", "-shm"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
        }
    }

    @Test("What was written is there after closing and opening again") func reopening() async throws {
        let first = try SQLiteDatabase(path: path)
        try await first.write { try $0.execute("CREATE TABLE t (id BIGINT)") }
        try await first.write { try $0.execute("INSERT INTO t (id) VALUES (7)") }
        try first.close()
        let second = try SQLiteDatabase(path: path)
        #expect(try await second.read { try $0.row("SELECT id FROM t")?.integer("id") } == 7)
    }

    @Test("What is written is on the disk before the call returns: WAL, and FULL (2) on the connection that writes")
    func durability() async throws {
        let database = try SQLiteDatabase(path: path)
        let (mode, level) = try await database.write { connection in
            (
                try connection.row("PRAGMA journal_mode")?.text("journal_mode"),
                try connection.row("PRAGMA synchronous")?.integer("synchronous")
            )
        }
        #expect(mode == "wal")
        #expect(level == 2)
    }

    @Test("A closed database, a folder that is missing and a file that is no database are unavailable")
    func unavailable() async throws {
        let database = try SQLiteDatabase(path: path)
        try database.close()
        await #expect(throws: StorageError(.unavailable, "")) {
            try await database.write { try $0.execute("CREATE TABLE t (id BIGINT)") }
        }
        #expect(throws: StorageError(.unavailable, "")) { try SQLiteDatabase(path: path + "/none/test.sqlite") }
        let other = folder.appending(path: "text.sqlite").path
        try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: other))
        #expect(throws: StorageError(.unavailable, "")) { try SQLiteDatabase(path: other) }
    }

    @Test("A database that another process has locked is unavailable, not wrong") func locked() async throws {
        let first = try SQLiteDatabase(path: path, busyTimeout: 0)
        let second = try SQLiteDatabase(path: path, busyTimeout: 0)
        try await first.write { try $0.execute("CREATE TABLE t (id BIGINT)") }
        let (started, start) = AsyncStream<Void>.makeStream()
        let release = DispatchSemaphore(value: 0)
        async let holding: Int = first.write { connection in
            start.yield()
            release.wait()
            return try connection.execute("INSERT INTO t (id) VALUES (1)")
        }
        for await _ in started { break }
        await #expect(throws: StorageError(.unavailable, "")) {
            try await second.write { try $0.execute("INSERT INTO t (id) VALUES (2)") }
        }
        release.signal()
        #expect(try await holding == 1)
    }
}
