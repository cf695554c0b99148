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
        try body.requireOnly(["nonce", "evidence", "kbs_evidence"])
        let nonce = try body.bytes("nonce", 16...64)
        let decision =
            body.node["kbs_evidence"] == nil
            ? try await decide(body, nonce, request, for: relyingParty)
            : try await decideKeyBroker(body, nonce, request, for: relyingParty)
        return try decision.response(answer) { writer in
            writer.string("status", decision.status.rawValue)
            writer.decision(decision)
        }
    }

    private func decide(
        _ body: RequestObject, _ nonce: [UInt8], _ request: ServiceRequest, for relyingParty: Principal
    ) async throws -> Appraisals.Decision {
        let node = try envelope(in: body)
        let labels = try await nodes.labels(ofKey: node["ak"]?.string.flatMap { Base64URL.decode($0) })
        let selection = try await policy.current(for: labels)?.selection ?? ActivePolicy.selectionWithoutPolicy
        let evidence = EvidenceRequest(
            kind: .backgroundCheck,
            challenge: Challenge(nonce: nonce, selection: selection, expiresAt: clock.now),
            challengeDigest: ChallengeDigest.backgroundCheck(nonce, relyingParty: relyingParty.name),
            body: request.body, audience: [relyingParty.name], requester: relyingParty.id)
        return try await appraisals.decide(evidence, logger: request.logger) { try Evidence(node, path: "evidence") }
    }

    /// Evidence of a key-broker client, which names its attestation key by the key itself.
    private func decideKeyBroker(
        _ body: RequestObject, _ nonce: [UInt8], _ request: ServiceRequest, for relyingParty: Principal
    ) async throws -> Appraisals.Decision {
        guard body.node["evidence"] == nil else {
            throw Problem.malformed("There is either evidence or kbs_evidence.", member: "kbs_evidence")
        }
        // What cannot be read uses the nonce up too: the appraisal reads it.
        let node = try body.object("kbs_evidence").node
        let read = Result { try KeyBrokerEvidence(node, path: "kbs_evidence") }
        let sent = try? read.get()
        var name: TPM.Name?
        if let sent { name = try await nodes.attestationKeyName(of: sent.attestationKey) }
        let evidence = EvidenceRequest(
            kind: .backgroundCheck,
            challenge: Challenge(nonce: nonce, selection: KeyBrokerEvidence.selection, expiresAt: clock.now),
            challengeDigest: ChallengeDigest.backgroundCheck(nonce, relyingParty: relyingParty.name),
            body: request.body, audience: [relyingParty.name], requester: relyingParty.id, form: .keyBroker,
            qualifyingData: sent?.qualifyingData)
        return try await appraisals.decide(evidence, logger: request.logger) { [name] in
            let sent = try read.get()
            guard sent.runtimeData.nonce == Base64.encode(nonce) else {
                throw EvidenceError("kbs_evidence.runtime-data.nonce", "is another than the relying party's")
            }
            return sent.evidence(of: try name ?? NodeStore.unknownName(of: sent.attestationKey))
        }
    }

    /// The evidence: the envelope itself, or a CMW record that holds it.
    private func envelope(in body: RequestObject) throws -> JSONNode {
        guard let wrapper = body.node["evidence"], wrapper.isArray else { return try body.object("evidence").node }
        return try Evidence.unwrapped(wrapper, path: "evidence")
    }
}
