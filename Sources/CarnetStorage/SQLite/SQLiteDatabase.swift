import Foundation
import GRDB

/// SQLite in one file, through GRDB: the embedded default. One process writes; its readers do not wait for it.
///
/// The file is created with mode 0600 and kept in write-ahead-log mode with `synchronous = FULL`, so that a transaction that
/// returned survives a loss of power.
public struct SQLiteDatabase: SQLDatabase {
    private let pool: DatabasePool
    private let path: String
    private let file: FileIdentity

    /// Opens the file, creating it if it is missing. Its folder must exist.
    ///
    /// - Parameter busyTimeout: How many seconds a transaction waits for another process's before it is unavailable.
    /// - Throws: ``StorageError/Code/unavailable`` when it cannot be opened.
    public init(path: String, busyTimeout: Double = 5) throws(StorageError) {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout)
        configuration.foreignKeysEnabled = true
        file = try Self.createFile(path)
        self.path = path
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            // Here and no earlier: the pool itself sets NORMAL, with which a loss of power undoes what was acknowledged.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        } catch {
            throw StorageError(.unavailable, "cannot open the database \(path): \(StorageError(describing: error))")
        }
    }

    /// Runs `body` on a snapshot, in a connection of its own.
    public func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        do {
            return try await pool.read { try StrictConnection.run(SQLiteConnection(database: $0), body) }
        } catch let error as DatabaseError {
            throw StorageError(describing: error)
        }
    }

    /// Runs `body` in an immediate transaction; writers queue up.
    @discardableResult
    public func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try checkPlace()
        do {
            return try await pool.write { try StrictConnection.run(SQLiteConnection(database: $0), body) }
        } catch let error as DatabaseError {
            throw StorageError(describing: error)
        }
    }

    /// Closes every connection; later calls throw. A database that is not closed is closed when it is released.
    public func close() throws(StorageError) {
        do { try pool.close() } catch { throw StorageError(describing: error) }
    }

    /// SQLite gives its log files the mode of the database file, so that one has to be right from the start.
    private static func createFile(_ path: String) throws(StorageError) -> FileIdentity {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StorageError(
                .unavailable, "cannot open the database \(path): \(String(cString: strerror(errno)))")
        }
        defer { _ = Foundation.close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw StorageError(.unavailable, "cannot look at the database \(path): \(String(cString: strerror(errno)))")
        }
        return FileIdentity(status)
    }

    /// Whether the file that was opened is still the one at its path: what is written to a removed file is lost.
    private func checkPlace() throws(StorageError) {
        var status = stat()
        guard stat(path, &status) == 0, FileIdentity(status) == file else {
            throw StorageError(.unavailable, "the database \(path) was removed or replaced; restart with the right one")
        }
    }

    private struct FileIdentity: Sendable, Equatable {
        let device: UInt64
        let inode: UInt64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }
}
