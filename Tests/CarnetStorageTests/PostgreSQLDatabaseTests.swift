import CarnetStorage
import Fixtures
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
        try await SQLDatabaseExam(database: open { $0.maximumConnectionCount = 1 }).run()
    }
}
