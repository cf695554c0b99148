public import CarnetRelyingParty

extension TrustRefresher {
    /// Checks passport and proof of an HTTP request. A passport that news may help waits for a refresh, as with ``verify(_:)``, and is
    /// checked once more; a proof is used up by the check that accepts it, and by no other.
    public func prove(
        _ request: PresentedRequest, nonces: ProofNonces? = nil
    ) async throws(RequestRefusal) -> ProvenResult {
        do throws(RequestRefusal) {
            return try verifier.prove(request, nonces: nonces, at: now())
        } catch {
            guard await refreshed(for: error.refusal.code) else { throw error }
            return try verifier.prove(request, nonces: nonces, at: now())
        }
    }
}
