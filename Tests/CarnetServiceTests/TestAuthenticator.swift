import HTTPTypes
import CarnetService
import Logging
import ServiceHarness
import Testing

/// Knows one caller of each role, whose token is the role's own name.
struct TestAuthenticator: Authenticator {
    func principal(holding token: String) async throws -> Principal? {
        Role(rawValue: token).map { Principal(id: "token-\(token)", name: token, role: $0) }
    }
}

/// Runs a service with the given routes on loopback.
func withService(
    _ routes: [Route], limits: ServiceLimits = ServiceLimits(), metrics: MetricRegistry? = nil,
    rateClock: RateClock = .system,
    logger: Logger = Logger(label: "test") { _ in
        SwiftLogNoOpLogHandler()
    },
    _ body: @Sendable (ServiceClient) async throws -> Void
) async throws {
    try await RunningService.with(
        { onListening in
            try HTTPService(
                routes, authenticator: TestAuthenticator(), address: #require(ListenAddress("127.0.0.1:0")),
                security: .plainHTTP, limits: limits, metrics: metrics.map { RequestMetrics($0) }, rateClock: rateClock,
                logger: logger, onListening: onListening)
        }, body)
}

/// A route that answers with its caller's name.
func hello(_ access: AccessClass, _ path: String = "/hello") -> Route {
    Route(.get, path, access: access) { request in
        ServiceResponse(.ok, "text/plain", Array((request.principal?.name ?? "nobody").utf8))
    }
}
