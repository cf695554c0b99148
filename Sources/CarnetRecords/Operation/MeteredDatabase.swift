package import CarnetStorage

/// A database whose failures are counted. Nothing else about it differs.
package struct MeteredDatabase: SQLDatabase {
    private let base: any SQLDatabase
    private let failed: @Sendable (StorageError.Code) -> Void

    /// A database whose failures are told to `failed`.
    package init(_ base: any SQLDatabase, failed: @escaping @Sendable (StorageError.Code) -> Void) {
        self.base = base
        self.failed = failed
    }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await counting { try await base.read(body) }
    }

    @discardableResult package func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await counting { try await base.write(body) }
    }

    @discardableResult package func writeAlone<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await counting { try await base.writeAlone(body) }
    }

    private func counting<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as StorageError {
            failed(error.code)
            throw error
        }
    }
}
