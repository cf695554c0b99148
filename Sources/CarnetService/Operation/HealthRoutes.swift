import HTTPTypes

/// `/livez` and `/readyz`: whether the process runs, and whether it can do its work.
public enum HealthRoutes {
    /// The two routes.
    ///
    /// - Parameters:
    ///   - drain: Whether the service is about to stop: it is not ready then, whatever it can do.
    ///   - isReady: Throws when a request would fail now. The cause goes to the log, not to the caller.
    public static func routes(draining drain: Drain = Drain(), isReady: @escaping @Sendable () async throws -> Void)
        -> [Route]
    {
        [
            Route(.get, "/livez", access: .public) { _ in plain("ok\n") }.alwaysServed(),
            Route(.get, "/readyz", access: .public) { _ in
                guard !drain.isBegun else {
                    var problem = Problem.unavailable("The service is about to stop.", cause: "it was asked to stop")
                    problem.isExpected = true
                    throw problem
                }
                do {
                    try await isReady()
                    return plain("ready\n")
                } catch {
                    throw Problem.unavailable("The service is not ready.", cause: "\(error)")
                }
            }.alwaysServed(),
        ]
    }

    private static func plain(_ text: String) -> ServiceResponse {
        ServiceResponse(.ok, "text/plain; charset=utf-8", Array(text.utf8))
    }
}
