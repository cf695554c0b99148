internal import CarnetResult
internal import Cryptography
internal import StrictEncoding

/// The claims of a proof whose signature was checked.
struct ProofClaims {
    private let root: JSONNode
    private let nextStep: String

    init(_ payload: [UInt8], nextStep: String) throws(Refusal) {
        self.nextStep = nextStep
        do {
            root = try JSONDocument(parsing: payload, maximumByteCount: 8192, maximumDepth: 4).root
        } catch {
            let code: Refusal.Code = error.code == .duplicateMember ? .duplicateMember : .proof
            throw Refusal(code, "The proof's claims cannot be read in one way: \(error)", nextStep: nextStep)
        }
    }

    /// Checks method, URI, time, token hash and nonce, and returns the proof's `jti` and `iat`.
    func check(
        _ result: VerifiedResult, _ request: ProvenRequest, nonce: DemandedNonce, window: Int64, at now: Int64
    ) throws(Refusal) -> (identifier: String, issuedAt: Int64) {
        guard let identifier = root["jti"]?.string, (8...256).contains(identifier.utf8.count) else {
            throw refuse(.proof, "The proof's jti has not 8 to 256 bytes")
        }
        guard root["htm"]?.isString(equalTo: request.method) == true else {
            throw refuse(.proofRequest, "The proof is for another method than \(request.method)")
        }
        guard let uri = root["htu"]?.string.flatMap(RequestURI.init), uri == RequestURI(request.uri) else {
            throw refuse(.proofRequest, "The proof is for another URI than \(request.uri)")
        }
        guard let issuedAt = root["iat"]?.integer, (0..<10_000_000_000).contains(issuedAt),
            abs(now - issuedAt) <= window
        else { throw refuse(.proofTime, "The proof was not made within \(window) seconds of now") }
        guard let hash = root["ath"]?.string.flatMap({ Base64URL.decode($0) }),
            constantTimeEqual(hash, result.tokenHash)
        else { throw refuse(.proofKey, "The proof is for another passport (ath)") }
        let found = root["nonce"]?.string
        guard nonce.isMet(by: found, at: now) else {
            throw Refusal(
                .proofNonce,
                found == nil
                    ? "The proof has no nonce of this server" : "The proof's nonce is not this server's, or old",
                nextStep: nextStep, freshNonce: nonce.fresh(at: now))
        }
        return (identifier, issuedAt)
    }

    private func refuse(_ code: Refusal.Code, _ reason: String) -> Refusal { Refusal(code, reason, nextStep: nextStep) }
}
