import CarnetRecords
import CarnetRelyingParty
import CarnetResult
import CarnetService
import CarnetTrustRefresh
import HTTPTypes
import StrictEncoding

/// Has the evidence of key-broker clients appraised by the verifier, and believes its result as any other.
struct KeyBrokerAttester: Sendable {
    let sessions: KeyBrokerSessions
    let checks: BackgroundChecks?
    let trust: TrustRefresher

    /// The one attempt of a session.
    ///
    /// - Returns: The verifier's result, also when it was given before.
    /// - Throws: ``KeyBrokerError`` or ``CarnetService/Problem``; either way the session's attempt is used.
    func attest(_ cookie: KeyBrokerCookie, _ body: [UInt8]) async throws -> [UInt8] {
        guard let checks else {
            throw KeyBrokerError(.attestationError, "This broker has no verifier that it could ask about evidence.")
        }
        if let attested = try await sessions.attempt(cookie) { return attested.token }
        do {
            let (token, result) = try await appraise(cookie, body, checks)
            try await sessions.keep(token, of: result.subject, tokenID: result.tokenID, as: cookie)
            return token
        } catch let error as KeyBrokerError {
            try await sessions.refused([error.detail])
            throw error
        }
    }

    private func appraise(
        _ cookie: KeyBrokerCookie, _ body: [UInt8], _ checks: BackgroundChecks
    ) async throws -> ([UInt8], VerifiedResult) {
        let root = try KeyBrokerRequest.object(body, maximumDepth: 6)
        try KeyBrokerRequest.requireOnly(["init-data", "runtime-data", "tee-evidence"], root)
        guard root["init-data"].map(\.isNull) ?? true else {
            throw KeyBrokerError(.attestationError, "init-data is not appraised here: send none.")
        }
        guard let runtimeData = root["runtime-data"], runtimeData.isObject, let evidence = root["tee-evidence"],
            evidence.isObject
        else { throw KeyBrokerError(.serdeError, "runtime-data and tee-evidence are objects, and both are needed.") }
        guard runtimeData["nonce"]?.string == Base64.encode(cookie.nonce) else {
            throw KeyBrokerError(.attestationError, "The nonce is another than this session's.")
        }
        let key = try KeyBrokerRequest.key(runtimeData)
        let token: [UInt8]?, findings: [String]
        do {
            (token, findings) = try await checks.appraise(
                runtimeData: runtimeData, evidence: evidence, nonce: cookie.nonce)
        } catch let problem as Problem where problem.status.code < 500 {
            throw KeyBrokerError(problem, .attestationError)
        }
        guard let token else { throw Self.refused(findings) }
        let result: VerifiedResult
        do {
            result = try await trust.verify(token)
        } catch {
            if let problem = trust.problem(of: error, at: sessions.clock.now) { throw problem }
            throw Self.refused([error.reason] + findings)
        }
        let bound = result.submodules[AttestationResult.submodule]?.encryptionKey?.key
        guard result.nonce == cookie.nonce, bound == key, result.keyThumbprint == key.thumbprint else {
            throw Self.refused(["The verifier's result is about other evidence."])
        }
        return (token, result)
    }

    private static func refused(_ reasons: [String]) -> KeyBrokerError {
        KeyBrokerError(
            .attestationError,
            reasons.isEmpty ? "The evidence was not accepted." : reasons.prefix(4).joined(separator: " "))
    }
}
