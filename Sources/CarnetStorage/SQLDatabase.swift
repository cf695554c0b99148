/// A place where a service keeps its state: the one seam between Carnet and an SQL engine.
///
/// A conformance passes `SQLDatabaseExam` in the tests. Both methods may be called from many tasks at once.
public protocol SQLDatabase: Sendable {
    /// Runs `body` on one consistent state of the database, in which it can change nothing.
    ///
    /// - Throws: What `body` throws, and ``StorageError``.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value

    /// Runs `body` in one transaction, isolated as if no other ran (SERIALIZABLE).
    ///
    /// When the call returns, what `body` wrote survives a crash and a loss of power. When it throws, nothing of it was
    /// written, with the one exception that ``StorageError/outcomeIsUnknown`` tells of. A statement that failed ends the
    /// transaction, even when `body` catches its error. An engine may run `body` again after a conflict with another
    /// transaction, so `body` has no effect but on the database.
    ///
    /// - Throws: What `body` throws, and ``StorageError``.
    @discardableResult
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value

    /// Runs `body` as ``write(_:)`` does, while no other process runs another such: for changes of the schema. It waits
    /// for its turn, and `body` may take long.
    ///
    /// - Throws: What `body` throws, and ``StorageError``.
    @discardableResult
    func writeAlone<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value
}

extension SQLDatabase {
    /// Runs `body` as ``write(_:)`` does. Right for an engine whose transactions that write never overlap.
    @discardableResult
    public func writeAlone<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value { try await write(body) }
}

/// What a transaction can do. It must not be used after the transaction has ended.
public protocol SQLConnection {
    /// Runs a statement that changes rows or the schema.
    ///
    /// - Returns: How many rows it inserted, changed or deleted; 0 when `ON CONFLICT DO NOTHING` did nothing.
    @discardableResult
    func execute(_ statement: SQL) throws(StorageError) -> Int

    /// Runs a statement that answers with rows.
    func rows(_ query: SQL) throws(StorageError) -> [SQLRow]
}

extension SQLConnection {
    /// The first row of the answer, or `nil` when there is none.
    public func row(_ query: SQL) throws(StorageError) -> SQLRow? { try rows(query).first }
}
