package import CarnetStorage
import Fixtures
package import Foundation

/// A place for a database that only one test uses: a file of SQLite, or, with `CARNET_TEST_DATABASE=postgresql`, a database of the
/// server that the tests share.
package final class TestDatabasePlace: Sendable {
    /// The engine.
    package enum Engine: Sendable { case sqlite, postgreSQL }

    /// The engine of tests that do not say which.
    package static var usualEngine: Engine {
        ProcessInfo.processInfo.environment["CARNET_TEST_DATABASE"] == "postgresql" ? .postgreSQL : .sqlite
    }

    /// What is to be opened.
    package let address: DatabaseAddress
    private let server: PostgreSQLServer?
    /// The server's address with its password, or the file.
    package let uri: String

    /// A place where nothing is yet.
    ///
    /// - Parameter path: The file, when it is one.
    package init(_ engine: Engine = usualEngine, path: String = TemporaryFolder.path("database")) throws {
        switch engine {
        case .sqlite: (server, uri, address) = (nil, path, .sqlite(path: path))
        case .postgreSQL:
            guard let server = try PostgreSQLServer.shared() else { throw CocoaError(.featureUnsupported) }
            uri = try server.makeDatabase()
            self.server = server
            address = .postgreSQL(try PostgreSQLAddress(parsing: uri))
        }
    }

    /// Opens the database.
    package func open(timeout: Double = 5) async throws -> any SQLDatabase {
        try await address.open(timeout: timeout, maximumConnectionCount: 4)
    }

    /// Removes it, whoever uses it.
    package func remove() {
        if let server { return server.dropDatabase(uri) }
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: uri + suffix) }
    }

    /// Calls `body` while another program keeps everybody from writing.
    package func whileLocked(_ body: () async throws -> Void) async throws {
        let other = try await open(), isPostgreSQL = server != nil
        let (locked, announce) = AsyncStream<Void>.makeStream()
        let release = DispatchSemaphore(value: 0)
        async let holding: Void = other.write { connection in
            if isPostgreSQL {
                // It does nothing for as long as the body takes.
                try connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                let tables = "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = 'public'"
                for row in try connection.rows(SQL(stringLiteral: tables)) {
                    let statement = "LOCK TABLE \(try row.text("name")) IN EXCLUSIVE MODE"
                    try connection.execute(SQL(stringLiteral: statement))
                }
            }
            announce.yield()
            release.wait()
        }
        for await _ in locked { break }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        release.signal()
        _ = try await holding
        try outcome.get()
    }

    /// Everything that the database holds, as its bytes on disk or as the values of all its rows.
    package func content() async throws -> Data {
        var content = Data()
        if server == nil {
            for suffix in ["", "-wal"] { content += FileManager.default.contents(atPath: uri + suffix) ?? Data() }
            return content
        }
        let database = try await open()
        let values = try await database.read { connection in
            let tables = "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = 'public'"
            return try connection.rows(SQL(stringLiteral: tables)).flatMap { table in
                let everything = "SELECT * FROM \(try table.text("name"))"
                return try connection.rows(SQL(stringLiteral: everything))
            }
        }
        for value in values.flatMap(\.values) {
            switch value {
            case .text(let text): content += Data(text.utf8)
            case .bytes(let bytes): content += bytes
            case .integer, .null: break
            }
        }
        return content
    }
}
