/// Where a service keeps its state: a file of SQLite, or a database of a PostgreSQL server.
public enum DatabaseAddress: Sendable, Equatable, CustomStringConvertible {
    /// SQLite in this file.
    case sqlite(path: String)
    /// PostgreSQL 15 or later.
    case postgreSQL(PostgreSQLAddress)

    /// Reads `sqlite:PATH`, `postgresql://…` or `postgres://…`.
    ///
    /// - Throws: ``StorageError/Code/refused``, with a reason that never repeats `text`: it may hold a password.
    public init(parsing text: String) throws(StorageError) {
        if text.hasPrefix("sqlite:"), text.utf8.count > 7, !text.utf8.contains(0) {
            self = .sqlite(path: String(text.dropFirst(7)))
        } else if PostgreSQLAddress.schemes.contains(where: text.hasPrefix) {
            self = .postgreSQL(try PostgreSQLAddress(parsing: text))
        } else {
            throw StorageError(
                .refused, "a database is sqlite:PATH or postgresql://USER@HOST/DATABASE?sslmode=verify-full")
        }
    }

    /// The address without its password.
    public var description: String {
        switch self {
        case .sqlite(let path): "sqlite:" + path
        case .postgreSQL(let address): address.description
        }
    }

    /// Whether the text of the address holds a password.
    public var holdsPassword: Bool {
        switch self {
        case .sqlite: false
        case .postgreSQL(let address): address.holdsPassword
        }
    }

    /// Opens the database.
    ///
    /// - Parameters:
    ///   - timeout: How many seconds a transaction waits for another's before the database is unavailable.
    ///   - maximumConnectionCount: How many connections to PostgreSQL are open at most.
    /// - Throws: ``StorageError``, when it cannot be used now, or never.
    public func open(timeout: Double, maximumConnectionCount: Int) async throws -> any SQLDatabase {
        switch self {
        case .sqlite(let path): return try SQLiteDatabase(path: path, busyTimeout: timeout)
        case .postgreSQL(let address):
            var settings = PostgreSQLSettings()
            settings.timeout = timeout
            settings.maximumConnectionCount = maximumConnectionCount
            return try await PostgreSQLDatabase.open(address, settings)
        }
    }
}
