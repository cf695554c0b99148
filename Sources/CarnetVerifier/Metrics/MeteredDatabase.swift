import CarnetStorage

/// A database whose failures are counted. Nothing else about it differs.
struct MeteredDatabase: SQLDatabase {
    let base: any SQLDatabase
    let metrics: VerifierMetrics

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await counting { try await base.read(body) }
    }

    @discardableResult func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await counting { try await base.write(body) }
    }

    @discardableResult func writeAlone<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await counting { try await base.writeAlone(body) }
    }

    private func counting<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as StorageError {
            metrics.databaseFailed(error.code)
            throw error
        }
    }
}
