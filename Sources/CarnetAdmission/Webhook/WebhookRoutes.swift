import CarnetRelyingService
import CarnetTrustRefresh
import CarnetService
import HTTPTypes
import KubernetesAPI
import Logging
import NodeAdmission

/// What the API server asks before it takes something (ValidatingAdmissionWebhook). Every replica answers.
///
/// Whoever reaches the address can ask: an answer changes nothing, and tells nothing that the asker did not bring.
struct WebhookRoutes: Sendable {
    let review: ReviewRules
    let rules: AdmissionRules
    let trust: TrustKeeper
    let addresses: AddressBook
    let metrics: AdmissionMetrics
    let now: @Sendable () -> Int64
    let needsNews: @Sendable () -> Void

    /// The longest review, in bytes: two objects of the longest that the API server keeps.
    private static let maximumByteCount = 3 << 20

    /// The two calls.
    var routes: [Route] {
        [
            route("/validate/nodes") { review.node($0) },
            route("/validate/certificatesigningrequests") { request($0) },
        ]
    }

    private func route(
        _ path: String, _ answer: @escaping @Sendable (AdmissionReview) -> AdmissionReview.Answer
    ) -> Route {
        Route(.post, path, access: .public, accepts: ["application/json"], upTo: Self.maximumByteCount) { request in
            let start = ContinuousClock.now, asked: AdmissionReview
            do throws(AdmissionReview.Unreadable) { asked = try AdmissionReview(parsing: request.body) } catch {
                throw Problem.malformed(error.description)
            }
            let answer = answer(asked)
            if case .refused(let reason, _) = answer {
                metrics.decided(.webhook, "deny", reason)
                request.logger.notice(
                    "a change is refused",
                    metadata: [
                        "operation": .string(String(asked.operation.prefix(16))),
                        "resource": .string(String(asked.resource.prefix(64))),
                        "user": .string(String(asked.username.prefix(256))),
                        "name": .string(String(asked.name.prefix(256))), "reason": .string(reason),
                    ])
            } else {
                metrics.decided(.webhook, "admit", "Allowed")
                request.logger.debug(
                    "a change is allowed",
                    metadata: [
                        "operation": .string(String(asked.operation.prefix(16))),
                        "resource": .string(String((asked.resource + "/" + asked.subresource).prefix(64))),
                        "user": .string(String(asked.username.prefix(256))),
                        "name": .string(String(asked.name.prefix(256))),
                    ])
            }
            metrics.took(.webhook, .now - start)
            return .json(asked.body(answer))
        }
    }

    /// About a CertificateSigningRequest: what the approver would deny does not come into being.
    private func request(_ asked: AdmissionReview) -> AdmissionReview.Answer {
        guard asked.resource == "certificatesigningrequests" else { return .allowed }
        if asked.subresource == "approval" { return review.approval(asked) }
        guard asked.operation == "CREATE", asked.subresource.isEmpty else { return .allowed }
        guard let object = asked.object else {
            return .refused("ReviewIncomplete", "The review has no object, and nobody can say what is asked for.")
        }
        guard let signer = NodeCertificateRequest.Signer(rawValue: object.spec["signerName"]?.string ?? "") else {
            return review.otherClient(object)
        }
        let request = NodeCertificateRequest(object, signer, username: asked.username, groups: asked.groups)
        let known = NodeName.ofUser(asked.username).flatMap { addresses.known($0) }
        switch rules.decide(request, by: trust.refresher.verifier, at: now(), known: known) {
        case .admit: return .allowed
        case .deny(let denial): return .refused(denial.reason, denial.message)
        case .wait(let denial):
            if denial.isAboutNews { needsNews() }
            return .warned("carnet-admission: \(denial.reason): the request waits until it can be decided")
        }
    }
}
