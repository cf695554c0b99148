public import CarnetEvidence
public import CarnetResult

extension Verdict {
    /// The submodule of a token for this verdict, with the keys that the quote binds.
    ///
    /// - Throws: ``JOSEError/invalidKey(_:)`` for a bound key that is no key on P-256, which authentication has excluded.
    public func submodule(for quote: AuthenticatedQuote) throws(JOSEError) -> SubmoduleAppraisal {
        let encryption: BoundEncryptionKey?
        if let key = quote.keys.encryption {
            encryption = BoundEncryptionKey(key: try JSONWebKey(key.key), protection: key.isInTPM ? .tpm : .software)
        } else {
            encryption = nil
        }
        return SubmoduleAppraisal(
            status: status, vector: vector, policyIDs: (policyID.map { [$0] } ?? []) + templateIDs,
            evidenceNonce: quote.nonce,
            attesterClaims: attesterClaims,
            verifierClaims: VerifierClaims(
                depth: depth, keyProtection: quote.keys.confirmation.isInTPM ? .tpm : .software,
                encryptionKey: encryption,
                banks: banks))
    }
}
