import Logging
package import ServiceLifecycle

/// A service that runs inside the test's process on a free loopback port, and stops when the test is done with it.
package enum RunningService {
    /// Starts what `make` returns, calls `body` with a client for it, and shuts the service down gracefully.
    ///
    /// - Parameter make: Makes the service; it must call its argument with the port once it listens.
    package static func with<Value: Sendable>(
        scheme: String = "http",
        _ make: (@escaping @Sendable (Int) async -> Void) async throws -> any Service,
        _ body: @Sendable (ServiceClient) async throws -> Value
    ) async throws -> Value {
        let (ports, announce) = AsyncStream<Int>.makeStream()
        let service = try await make { port in
            announce.yield(port)
            announce.finish()
        }
        let group = ServiceGroup(services: [service], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { announce.finish() }
                try await group.run()
            }
            guard let port = await ports.first(where: { _ in true }) else {
                try await tasks.waitForAll()
                throw NeverListened()
            }
            do {
                let value = try await body(ServiceClient(scheme: scheme, port: port))
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return value
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
        }
    }

    /// The service ended before it listened.
    package struct NeverListened: Error {}
}
