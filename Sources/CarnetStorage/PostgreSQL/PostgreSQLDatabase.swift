/// PostgreSQL 15 or later through libpq: for verifiers that share one database.
///
/// Transactions that write are SERIALIZABLE, and run again by themselves when they meet another; those that read see one snapshot.
/// Every wait is bounded. A connection that was lost is replaced with the next call.
public struct PostgreSQLDatabase: SQLDatabase {
    private let pool: PostgreSQLPool
    private let settings: PostgreSQLSettings

    /// Connects once, to find out whether the server can be used.
    ///
    /// - Throws: ``StorageError/Code/unavailable`` when it cannot be reached, and ``StorageError/Code/refused`` when it is older than 15,
    ///   or is set up so that it cannot keep what ``SQLDatabase`` promises.
    public static func open(
        _ address: PostgreSQLAddress, _ settings: PostgreSQLSettings = PostgreSQLSettings()
    ) async throws -> PostgreSQLDatabase {
        guard (1...1000).contains(settings.maximumConnectionCount) else {
            throw StorageError(.refused, "\(settings.maximumConnectionCount) connections are not between 1 and 1000")
        }
        let database = PostgreSQLDatabase(pool: PostgreSQLPool(address, settings), settings: settings)
        try await database.pool.run { slot in _ = try slot.session() }
        return database
    }

    /// Runs `body` on a snapshot.
    public func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value { try await transaction(.read, body) }

    /// Runs `body` in a transaction that is isolated as if no other ran.
    @discardableResult
    public func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value { try await transaction(.write, body) }

    /// Runs `body` while no other process runs another such. No statement of it has a time limit.
    @discardableResult
    public func writeAlone<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value { try await transaction(.alone, body) }

    /// Closes every connection; later calls throw. A database that is not closed is closed when it is released.
    public func close() { pool.close() }

    private func transaction<Value: Sendable>(
        _ kind: PostgreSQLTransaction.Kind, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        let transaction = PostgreSQLTransaction(kind: kind, settings: settings)
        return try await pool.run { slot in try transaction.run(slot, body) }
    }
}
