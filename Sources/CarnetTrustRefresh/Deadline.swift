/// A bound on time that also ends what trickles in: the client's own end when a head has arrived, or a byte now and then.
enum Deadline {
    /// What `body` returns, unless it takes longer; then it is cancelled.
    static func within<Value: Sendable>(
        _ seconds: Int64, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() ?? nil else {
                throw BoundedFetch.Failure(description: "the refresh did not end within \(seconds) seconds")
            }
            return value
        }
    }
}
