package import CarnetService
import HTTPTypes
import Logging
import StrictEncoding
import Synchronization

/// A receiver of webhooks on loopback that answers as a test tells it to, and keeps what came.
package final class ScriptedReceiver: Sendable {
    /// What came.
    package struct Message: Sendable {
        package let id, timestamp, signature: String
        package let type: String?
        package let body: [UInt8]
    }

    /// What it answers.
    package enum Answer: Sendable {
        case status(Int)
        case later(Int)
        case redirect(String)
        case slow(Duration)
        case huge
    }

    private struct State {
        var answer = Answer.status(204)
        /// A receiver that answers 204.
        package init() {}

        /// What came so far.
        package var messages: [Message] = []
    }

    private let state = Mutex(State())

    /// A receiver that answers 204.
    package init() {}

    /// What came so far.
    package var messages: [Message] { state.withLock { $0.messages } }

    /// What it answers from now on.
    package func answers(_ answer: Answer) { state.withLock { $0.answer = answer } }

    /// Waits until so many messages came, at most ten seconds, and returns all that there are.
    @discardableResult
    package func wait(for count: Int) async throws -> [Message] {
        for _ in 0..<500 where messages.count < count { try await Task.sleep(for: .milliseconds(20)) }
        return messages
    }

    /// Runs it while `body` does what it does with its URL.
    package func run<Value: Sendable>(
        port: Int = 0, security: TransportSecurity = .plainHTTP, _ body: @Sendable (String) async throws -> Value
    ) async throws -> Value {
        guard let address = ListenAddress("127.0.0.1:\(port)") else { throw CancellationError() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try await RunningService.with(
            { onListening in
                try HTTPService(
                    self.routes, authenticator: Nobody(), address: address, security: security, logger: logger,
                    onListening: onListening)
            },
            { try await body("http://127.0.0.1:\($0.port)/hook") })
    }

    private struct Nobody: Authenticator {
        func principal(holding token: String) async throws -> Principal? { nil }
    }

    private var routes: [Route] {
        [
            Route(.post, "/hook", access: .public, accepts: ["application/json"], upTo: 1 << 20) { request in
                func field(_ name: String) -> String {
                    request.headers.first { $0.name.canonicalName == name }?.value ?? ""
                }
                let message = Message(
                    id: field("webhook-id"), timestamp: field("webhook-timestamp"),
                    signature: field("webhook-signature"),
                    type: try RequestObject(request.body).node["type"]?.string, body: request.body)
                let answer = self.state.withLock { state in
                    state.messages.append(message)
                    return state.answer
                }
                switch answer {
                case .status(let code): return ServiceResponse(.init(code: code), "text/plain", [])
                case .later(let seconds):
                    return ServiceResponse(
                        .serviceUnavailable, "text/plain", [],
                        headers: HTTPFields([HTTPField(name: .retryAfter, value: String(seconds))]))
                case .redirect(let target):
                    return ServiceResponse(
                        .temporaryRedirect, "text/plain", [],
                        headers: HTTPFields([HTTPField(name: .location, value: target)]))
                case .slow(let duration):
                    try await Task.sleep(for: duration)
                    return ServiceResponse(.ok, "text/plain", [])
                case .huge: return ServiceResponse(.ok, "text/plain", [UInt8](repeating: 0x61, count: 32 << 20))
                }
            }
        ]
    }
}
