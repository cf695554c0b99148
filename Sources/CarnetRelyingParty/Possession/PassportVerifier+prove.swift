public import CarnetResult
internal import Cryptography
internal import StrictEncoding

extension PassportVerifier {
    /// The longest proof that is looked at, in bytes.
    public static let maximumProofByteCount = 8192

    /// Checks that the holder of the passport's key made `proof` for this request (RFC 9449 §4.3), once.
    ///
    /// - Parameters:
    ///   - proof: The content of the one `DPoP` header field, in ASCII.
    ///   - request: The request as this server knows it; the URI from configuration, not from the Host field.
    ///   - nonce: The nonce that this server gave; `nil` when it gives none.
    ///   - now: Seconds since 1970.
    public func prove(
        _ result: VerifiedResult, by proof: [UInt8], of request: ProvenRequest, nonce: String? = nil, at now: Int64
    ) throws(Refusal) -> ProvenResult {
        try prove(result, by: proof, of: request, demanding: nonce.map(DemandedNonce.exactly) ?? .none, at: now)
    }

    /// The same with a nonce of `nonces`, of this period or the one before. A proof without one is refused with
    /// ``Refusal/Code/proofNonce``, and the refusal has the one to use (``Refusal/freshNonce``).
    public func prove(
        _ result: VerifiedResult, by proof: [UInt8], of request: ProvenRequest, nonces: ProofNonces, at now: Int64
    ) throws(Refusal) -> ProvenResult {
        try prove(result, by: proof, of: request, demanding: .recent(nonces), at: now)
    }

    func prove(
        _ result: VerifiedResult, by proof: [UInt8], of request: ProvenRequest, demanding nonce: DemandedNonce,
        at now: Int64
    ) throws(Refusal) -> ProvenResult {
        let now = Self.bounded(now)
        let next = "Make a new proof for this request with the passport's key"
        func refuse(_ code: Refusal.Code, _ reason: String) -> Refusal { Refusal(code, reason, nextStep: next) }

        try requireLife(of: result, at: now, nextStep: next)
        guard proof.count <= Self.maximumProofByteCount else { throw refuse(.tooLarge, "The proof is too long") }
        let jws: CompactJWS
        do {
            jws = try CompactJWS(parsing: proof)
        } catch {
            throw refuse(.proof, "The proof is not a compact JWS")
        }
        let header = try JOSEHeader.parse(jws.headerSegment, nextStep: next)
        try JOSEHeader.requireType(["dpop+jwt"], header, .proof, nextStep: next)
        guard header["alg"]?.isString(equalTo: "ES256") == true else {
            throw refuse(.algorithm, "The proof's alg is not ES256")
        }
        for name in ["crit", "jku", "x5u", "x5c", "b64"] where header[name] != nil {
            throw refuse(.header, "The proof's header has \(name), which it must not have")
        }
        let key: JSONWebKey
        do {
            guard let node = header["jwk"] else { throw JOSEError.invalidKey("jwk is missing") }
            key = try JSONWebKey(node)
            guard constantTimeEqual(Array(key.thumbprint.utf8), Array(result.keyThumbprint.utf8)) else {
                throw refuse(.proofKey, "The proof is by another key than the one to which the passport is bound")
            }
            guard jws.isSigned(by: try key.publicKey()) else {
                throw refuse(.signature, "The proof's signature is not by its key")
            }
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw refuse(.proofKey, "The proof's key cannot be used: \(error)")
        }
        let (identifier, issuedAt) = try ProofClaims(jws.payload, nextStep: next)
            .check(result, request, nonce: nonce, window: proofs.window, at: now)
        // The replay memory comes last: only a proof that would be accepted takes a place in it.
        let holder = Array(result.keyThumbprint.utf8)
        switch replayCache.remember(
            TokenDigest(of: holder + Array(identifier.utf8)), madeAt: issuedAt, of: TokenDigest(of: holder), at: now)
        {
        case .fresh: return ProvenResult(result: result, manner: .request(request), proofID: identifier)
        case .seen: throw refuse(.proofReplayed, "The proof was used before")
        case .full: throw Self.tooManyProofs(seconds: 2 * proofs.window)
        case .forgotten:
            throw refuse(
                .proofTime, "The clock was changed, and which proofs of that second were used is not remembered")
        }
    }
}
