import CarnetService
import Foundation
import HTTPTypes
import KubernetesHarness
import Logging
import ServiceHarness
import Synchronization

/// A validating webhook on loopback that answers as a test tells it to, and keeps what it was asked.
final class ScriptedWebhook: Sendable {
    private struct State {
        var reviews: [HarnessJSON] = []
        var answer: @Sendable (HarnessJSON) -> HarnessJSON = { _ in ["allowed": true] }
    }

    private let state = Mutex(State())

    /// The `request` of every review so far.
    var reviews: [HarnessJSON] { state.withLock(\.reviews) }

    /// What it answers from now on: a `response`, whose `uid` is filled in.
    func answers(_ answer: @escaping @Sendable (HarnessJSON) -> HarnessJSON) { state.withLock { $0.answer = answer } }

    /// Runs it with a certificate of the cluster's authority while `body` does what it does with its URL.
    func run(_ cluster: TestCluster, _ body: @Sendable (String) async throws -> Void) async throws {
        let identity = try cluster.authority.server("webhook", names: ["IP:127.0.0.1"])
        let files = (cluster.folder + "/webhook.pem", cluster.folder + "/webhook.key")
        for (path, text) in [(files.0, identity.certificate), (files.1, identity.key)] {
            try? FileManager.default.removeItem(atPath: path)
            try PrivateFile.create(path, Array(text.utf8))
        }
        guard let address = ListenAddress("127.0.0.1:0") else { throw CancellationError() }
        let security = TransportSecurity.tls(certificateFile: files.0, privateKeyFile: files.1)
        try await RunningService.with(
            scheme: "https",
            { onListening in
                try HTTPService(
                    [self.route], authenticator: Nobody(), address: address, security: security,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, onListening: onListening)
            },
            { try await body("https://127.0.0.1:\($0.port)/validate") })
    }

    private struct Nobody: Authenticator {
        func principal(holding token: String) async throws -> Principal? { nil }
    }

    private var route: Route {
        Route(.post, "/validate", access: .public, accepts: ["application/json"], upTo: 1 << 22) { request in
            let asked = try HarnessJSON(parsing: request.body)["request"] ?? [:]
            let answer = self.state.withLock { state in
                state.reviews.append(asked)
                return state.answer
            }
            var response = answer(asked)
            if response["uid"] == nil { response["uid"] = asked["uid"] }
            let review: HarnessJSON = [
                "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response,
            ]
            return ServiceResponse(.ok, "application/json", review.bytes)
        }
    }
}
