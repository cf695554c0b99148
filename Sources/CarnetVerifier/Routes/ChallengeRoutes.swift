import CarnetRecords
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
    let queue: WorkQueue

    private static let path = "/challenge-response/v1/session/{id}"

    var routes: [Route] {
        [
            Route(.post, "/challenge-response/v1/newSession", access: .attester) { request in
                try await newSession(request)
            },
            Route(
                .post, Self.path, access: .attester, accepts: MediaType.allEvidence, upTo: Evidence.maximumByteCount,
                admitting: { parameters in _ = try sessions.challenge(parameters["id"] ?? "") }
            ) { request in
                try await submit(request)
            }.queued(in: queue).admittingLargeBodies { parameters in
                let challenge = try sessions.challenge(parameters["id"] ?? "")
                guard try await sessions.state(of: challenge) == .waiting else { throw Appraisals.challengeUsed }
            },
            Route(.get, Self.path, access: .attester) { request in
                _ = try request.answerType(among: [MediaType.session])
                let challenge = try sessions.challenge(request.pathParameter("id"))
                let state = try await sessions.state(of: challenge)
                let body = JSONWriter.object { $0.session(state, challenge) }
                return ServiceResponse(.ok, MediaType.session, body)
            },
            Route(.delete, Self.path, access: .attester) { request in
                try await sessions.remove(sessions.challenge(request.pathParameter("id")))
                return .noContent
            },
        ]
    }

    private func newSession(_ request: ServiceRequest) async throws -> ServiceResponse {
        let query = request.query
        try query.requireOnly(["nonceSize", "nonce", "ak", "ima"])
        _ = try request.answerType(among: [MediaType.session])
        let nonceByteCount = try Self.nonceByteCount(query)
        let requesterNonce = try Self.requesterNonce(query)
        guard query["ima"].map({ $0 == "whole" }) ?? true else {
            throw Problem.malformed("The word is whole, or the parameter is left out.", member: "?ima")
        }
        let opened = try await sessions.open(
            attestationKey: Self.name(query["ak"]), nonceByteCount: nonceByteCount, requesterNonce: requesterNonce,
            wantsWholeList: query["ima"] != nil)
        let body = JSONWriter.object { writer in
            writer.session(.waiting, opened.challenge)
            writer.requirements(opened.policy, opened.requirements)
        }
        var response = ServiceResponse(.created, MediaType.session, body)
        response.headers[.location] = "session/" + opened.id
        return response
    }

    private func submit(_ request: ServiceRequest) async throws -> ServiceResponse {
        let answer = try request.answerType(among: [MediaType.session, MediaType.result])
        let audience = try audience(request.query)
        let challenge = try sessions.challenge(request.pathParameter("id"))
        let evidence = EvidenceRequest(
            kind: .passport, challenge: challenge, challengeDigest: ChallengeDigest.session(challenge.nonce),
            body: request.body, audience: audience, requester: nil)
        let decision: Appraisals.Decision
        do {
            decision = try await appraisals.decide(evidence, logger: request.logger) {
                try Evidence(
                    parsing: request.body, as: request.mediaType == MediaType.evidence ? .plain : .wrapped)
            }
        } catch let problem as Problem where problem.slug == Appraisals.challengeUsed.slug {
            // Of a session that was removed, nothing else is told.
            _ = try await sessions.state(of: challenge)
            throw problem
        }
        return try decision.response(answer) { writer in
            writer.session(decision.status, challenge)
            writer.decision(decision)
        }
    }

    /// Whom the passport is for: one of this verifier's audiences where the machine names one, so that a passport which it shows to
    /// everybody is worth nothing anywhere else; all of them otherwise.
    private func audience(_ query: QueryParameters) throws(Problem) -> [String] {
        try query.requireOnly(["audience"])
        guard let name = query["audience"] else { return audiences }
        guard let known = audiences.first(where: { $0.utf8.elementsEqual(name.utf8) }) else {
            throw .malformed("This verifier issues no passports for that audience.", member: "?audience")
        }
        return [known]
    }

    /// The length of the nonce that is asked for.
    private static func nonceByteCount(_ query: QueryParameters) throws(Problem) -> Int {
        guard let text = query["nonceSize"] else { return Sessions.minimumNonceByteCount }
        guard query["nonce"] == nil else {
            throw .malformed("Give nonceSize or nonce, not both.", member: "?nonce")
        }
        guard let count = Int(text), (8...64).contains(count), String(count) == text else {
            throw .malformed("A number of bytes from 8 to 64 is needed.", member: "?nonceSize")
        }
        return count
    }

    private static func requesterNonce(_ query: QueryParameters) throws(Problem) -> [UInt8]? {
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
    fileprivate mutating func session(_ state: SessionState, _ challenge: Challenge) {
        string("status", state.rawValue)
        base64URL("nonce", challenge.nonce)
        string("expiry", RFC3339.format(challenge.expiresAt))
        array("accept") { writer in for type in MediaType.allEvidence { writer.element(type) } }
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
