internal import CarnetResult

extension PassportVerifier {
    /// Checks passport and proof of an HTTP request.
    ///
    /// - Parameters:
    ///   - nonces: The nonces that this server gives; `nil` when it gives none.
    ///   - now: Seconds since 1970.
    /// - Throws: What to answer, with the reason. To answer well, put ``ProofNonces/current(at:)`` into `DPoP-Nonce` there too, and the
    ///   caller never has to ask twice.
    public func prove(
        _ request: PresentedRequest, nonces: ProofNonces? = nil, at now: Int64
    ) throws(RequestRefusal) -> ProvenResult {
        let passport = try request.passport(), proof = try request.proof(), result: VerifiedResult
        do throws(Refusal) {
            result = try verify(passport, at: now)
        } catch {
            throw .ofPassport(error)
        }
        do throws(Refusal) {
            return try prove(
                result, by: proof, of: ProvenRequest(method: request.method, uri: request.uri),
                demanding: nonces.map(DemandedNonce.recent) ?? .none, at: now)
        } catch {
            throw .ofProof(error, window: proofs.window)
        }
    }
}
