import CarnetEvidence
import CarnetService
import HTTPTypes
import StrictEncoding
import TPM2

/// `/challenge-response/v1/…`: Veraison's shape.
struct ChallengeRoutes: Sendable {
    let sessions: Sessions
    let appraisals: Appraisals
    let audiences: [String]

    var routes: [Route] {
        [
            Route(.post, "/challenge-response/v1/newSession", access: .attester) { request in
                try await newSession(request.query)
            },
            Route(
                .post, "/challenge-response/v1/session/{id}", access: .attester,
                accepts: [MediaType.evidence, MediaType.wrappedEvidence], upTo: Evidence.maximumByteCount,
                admitting: { parameters in _ = try sessions.challenge(parameters["id"] ?? "") }
            ) { request in
                try await submit(request)
            },
        ]
    }

    private func newSession(_ query: QueryParameters) async throws -> ServiceResponse {
        try query.requireOnly(["nonceSize", "nonce", "ak", "ima"])
        let requesterNonce = try Self.requesterNonce(query)
        guard query["ima"].map({ $0 == "whole" }) ?? true else {
            throw Problem.malformed("The word is whole, or the parameter is left out.", member: "?ima")
        }
        let opened = try await sessions.open(
            attestationKey: Self.name(query["ak"]), requesterNonce: requesterNonce, wantsWholeList: query["ima"] != nil)
        let body = JSONWriter.object { writer in
            writer.session("waiting", opened.challenge)
            writer.requirements(opened.policy, opened.requirements)
        }
        var response = ServiceResponse(.created, MediaType.session, body)
        response.headers[.location] = "session/" + opened.id
        return response
    }

    private func submit(_ request: ServiceRequest) async throws -> ServiceResponse {
        let challenge = try sessions.challenge(request.pathParameter("id"))
        let evidence = EvidenceRequest(
            kind: .passport, challenge: challenge, challengeDigest: ChallengeDigest.session(challenge.nonce),
            body: request.body, audience: audiences, requester: nil)
        let decision = try await appraisals.decide(evidence, logger: request.logger) {
            try Evidence(parsing: request.body)
        }
        let body = JSONWriter.object { writer in
            writer.session(decision.status, challenge)
            writer.decision(decision)
        }
        return ServiceResponse(.ok, MediaType.session, body)
    }

    private static func requesterNonce(_ query: QueryParameters) throws(Problem) -> [UInt8]? {
        if let size = query["nonceSize"] {
            guard query["nonce"] == nil else {
                throw .malformed("Give nonceSize or nonce, not both.", member: "?nonce")
            }
            guard size == "32" else { throw .malformed("The verifier's nonce has 32 bytes.", member: "?nonceSize") }
        }
        guard let text = query["nonce"] else { return nil }
        guard let nonce = Base64URL.decode(text), (8...64).contains(nonce.count) else {
            throw .malformed("8 to 64 bytes in base64url without padding are needed.", member: "?nonce")
        }
        return nonce
    }

    /// The Name of an attestation key in a query.
    static func name(_ text: String?) throws(Problem) -> TPM.Name? {
        guard let text else { return nil }
        guard text.utf8.count <= 128, let bytes = Base64URL.decode(text) else {
            throw .malformed("A TPM2B_NAME's content in base64url without padding is needed.", member: "?ak")
        }
        do {
            return try TPM.Name(parsing: bytes)
        } catch {
            throw .malformed("This is no Name of a key: \(error)", member: "?ak")
        }
    }
}

extension JSONWriter {
    /// The members of Veraison's session.
    fileprivate mutating func session(_ status: String, _ challenge: Challenge) {
        string("status", status)
        base64URL("nonce", challenge.nonce)
        string("expiry", RFC3339.format(challenge.expiresAt))
        array("accept") { writer in
            writer.element(MediaType.evidence)
            writer.element(MediaType.wrappedEvidence)
        }
    }

    /// The token, if there is one, and the findings.
    mutating func decision(_ decision: Appraisals.Decision) {
        switch decision {
        case .issued(let token, let findings):
            string("result", token)
            self.findings("findings", findings)
        case .failed(let findings): self.findings("findings", findings)
        }
    }
}

extension Appraisals.Decision {
    /// `complete` or `failed`.
    var status: String {
        switch self {
        case .issued: "complete"
        case .failed: "failed"
        }
    }
}
