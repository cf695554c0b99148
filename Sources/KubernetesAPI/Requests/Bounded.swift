/// A bound on time that also ends what trickles in.
enum Bounded {
    /// The time was up.
    struct TimeIsUp: Error {}

    /// What `body` returns, unless it takes longer; then it is cancelled.
    static func within<Value: Sendable>(
        _ time: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: time)
                return nil
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() ?? nil else { throw TimeIsUp() }
            return value
        }
    }
}
