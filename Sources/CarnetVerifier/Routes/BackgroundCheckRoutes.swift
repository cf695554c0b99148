import CarnetRecords
import CarnetAppraisal
import CarnetEvidence
import CarnetService
import HTTPTypes
import StrictEncoding
import TPM2

/// `/background-check/v1/…`: a relying party asks about a machine, with a nonce of its own.
struct BackgroundCheckRoutes: Sendable {
    let nodes: NodeStore
    let policy: ActivePolicy
    let appraisals: Appraisals
    let clock: WallClock
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(.get, "/background-check/v1/requirements", access: .relyingParty) { request in
                try request.query.requireOnly(["ak"])
                let key = try ChallengeRoutes.name(request.query["ak"])
                let policy = try await policy.current(for: nodes.labels(ofKey: key?.bytes))
                return .json(JSONWriter.object { $0.requirements(policy, EvidenceRequirements(policy)) })
            },
            Route(
                .post, "/background-check/v1/appraisals", access: .relyingParty, accepts: ["application/json"],
                upTo: Evidence.maximumByteCount
            ) { request in
                try await appraise(request)
            }.queued(in: queue),
        ]
    }

    private func appraise(_ request: ServiceRequest) async throws -> ServiceResponse {
        guard let relyingParty = request.principal else { throw Problem.notFound("There is no such resource.") }
        let answer = try request.answerType(among: [MediaType.json, MediaType.result])
        let body = try RequestObject(request.body, maximumDepth: 6)
        try body.requireOnly(["nonce", "evidence"])
        let nonce = try body.bytes("nonce", 16...64)
        let node = try envelope(in: body)
        let labels = try await nodes.labels(ofKey: node["ak"]?.string.flatMap { Base64URL.decode($0) })
        let selection = try await policy.current(for: labels)?.selection ?? ActivePolicy.selectionWithoutPolicy
        let evidence = EvidenceRequest(
            kind: .backgroundCheck,
            challenge: Challenge(nonce: nonce, selection: selection, expiresAt: clock.now),
            challengeDigest: ChallengeDigest.backgroundCheck(nonce, relyingParty: relyingParty.name),
            body: request.body, audience: [relyingParty.name], requester: relyingParty.id)
        let decision = try await appraisals.decide(evidence, logger: request.logger) {
            try Evidence(node, path: "evidence")
        }
        return try decision.response(answer) { writer in
            writer.string("status", decision.status.rawValue)
            writer.decision(decision)
        }
    }

    /// The evidence: the envelope itself, or a CMW record that holds it.
    private func envelope(in body: RequestObject) throws -> JSONNode {
        guard let wrapper = body.node["evidence"], wrapper.isArray else { return try body.object("evidence").node }
        return try Evidence.unwrapped(wrapper, path: "evidence")
    }
}
