package import CarnetEvidence
import CarnetService
import HTTPTypes
import Logging
package import ServiceHarness
import StrictEncoding
import Synchronization

/// A verifier that appraises nothing and says what a test tells it to say: for faults that no real verifier has.
package final class ScriptedVerifier: Sendable {
    /// One session and what came of it.
    package struct Session: Sendable {
        /// Its parameter `ima`.
        package let ima: String?
        /// What was handed in.
        package var evidence: Evidence?
    }

    /// What it says in one session.
    package struct Line: Sendable {
        /// Members of the session's object beside nonce and selection, as JSON with a comma in front.
        package let requirements: String
        /// The answer to the evidence, as JSON.
        package let answer: String

        /// A line of the script.
        package init(requirements: String = "", answer: String) {
            self.requirements = requirements
            self.answer = answer
        }
    }

    private let script: [Line]
    private let state = Mutex<[Session]>([])

    /// The sessions so far.
    package var sessions: [Session] { state.withLock(\.self) }

    /// A verifier with a line for each session; the last line is said from then on.
    package init(_ script: [Line]) { self.script = script }

    /// Runs it while `body` does what it does.
    package func run<Value: Sendable>(_ body: @Sendable (ServiceClient) async throws -> Value) async throws -> Value {
        guard let address = ListenAddress("127.0.0.1:0") else { throw CancellationError() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try await RunningService.with(
            { onListening in
                try HTTPService(
                    self.routes, authenticator: Nobody(), address: address, security: .plainHTTP, logger: logger,
                    onListening: onListening)
            }, body)
    }

    private struct Nobody: Authenticator {
        func principal(holding token: String) async throws -> Principal? { nil }
    }

    private var routes: [Route] {
        [
            Route(.post, "/challenge-response/v1/newSession", access: .attester) { request in
                let number = self.state.withLock { sessions in
                    sessions.append(Session(ima: request.query["ima"]))
                    return sessions.count - 1
                }
                let nonce = Base64URL.encode([UInt8](repeating: UInt8(clamping: number), count: 32))
                let selection = #"[{"bank":"sha256","pcrs":[0,10]}]"#
                let text = #"{"nonce":"\#(nonce)","pcr_selection":\#(selection)\#(self.line(number).requirements)}"#
                var response = ServiceResponse.json(Array(text.utf8), status: .created)
                response.headers[.location] = "session/\(number)"
                return response
            },
            Route(
                .post, "/challenge-response/v1/session/{id}", access: .attester, accepts: [Evidence.mediaType],
                upTo: Evidence.maximumByteCount
            ) { request in
                let evidence = try Evidence(parsing: request.body)
                let number = Int(try request.pathParameter("id")) ?? 0
                self.state.withLock { $0[number].evidence = evidence }
                return .json(Array(self.line(number).answer.utf8))
            },
        ]
    }

    private func line(_ number: Int) -> Line { script[min(number, script.count - 1)] }
}
