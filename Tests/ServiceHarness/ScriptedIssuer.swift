import CarnetService
import HTTPTypes
import Logging
package import Synchronization

/// An issuer on loopback that publishes what a test tells it to, and counts what it was asked.
package final class ScriptedIssuer: Sendable {
    package struct Page: Sendable {
        package var keySet: [UInt8] = []
        package var lists: [String: [UInt8]] = [:]
        package var names: [UInt8]?
        package var fails = false
        package var redirect: String?
        package var requests = 0
    }

    package let page = Mutex(Page())

    package init() {}

    package var requests: Int { page.withLock { $0.requests } }

    package func change(_ body: (inout Page) -> Void) { page.withLock { body(&$0) } }

    package func run<Value: Sendable>(_ body: @Sendable (String) async throws -> Value) async throws -> Value {
        guard let address = ListenAddress("127.0.0.1:0") else { throw CancellationError() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try await RunningService.with(
            { onListening in
                try HTTPService(
                    self.routes, authenticator: Nobody(), address: address, security: .plainHTTP, logger: logger,
                    onListening: onListening)
            },
            { try await body("http://127.0.0.1:\($0.port)") })
    }

    private struct Nobody: Authenticator {
        func principal(holding token: String) async throws -> Principal? { nil }
    }

    private var routes: [Route] {
        [
            Route(.get, "/.well-known/jwks.json", access: .public) { _ in
                let page = self.page.withLock { page in
                    page.requests += 1
                    return page
                }
                if page.fails { throw Problem.notFound("There is nothing now.") }
                if let target = page.redirect {
                    var response = ServiceResponse(.found, "text/plain", [])
                    response.headers[.location] = target
                    return response
                }
                return ServiceResponse(
                    .ok, "application/jwk-set+json", page.keySet,
                    headers: HTTPFields([HTTPField(name: .cacheControl, value: "max-age=60")]))
            },
            Route(.get, "/status-lists", access: .public) { _ in
                let page = self.page.withLock(\.self)
                let names = page.lists.keys.sorted().map { "\"https://verifier.example/status-lists/\($0)\"" }
                return .json(page.names ?? Array("{\"status_lists\":[\(names.joined(separator: ","))]}".utf8))
            },
            Route(.get, "/status-lists/{id}", access: .public) { request in
                guard let list = self.page.withLock({ $0.lists[(try? request.pathParameter("id")) ?? ""] }) else {
                    throw Problem.notFound("There is no such list.")
                }
                return ServiceResponse(.ok, "application/statuslist+jwt", list)
            },
            Route(.get, "/bundle", access: .public) { _ in
                ServiceResponse(
                    .ok, "application/jwt", self.page.withLock { $0.keySet },
                    headers: HTTPFields([HTTPField(name: .cacheControl, value: "max-age=3600")]))
            },
        ]
    }
}
