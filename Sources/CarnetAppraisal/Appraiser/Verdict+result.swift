public import CarnetEvidence
public import CarnetResult
internal import Cryptography
internal import TPM2

extension Verdict {
    /// The submodule of a token for this verdict, with the keys that the quote binds.
    ///
    /// - Parameter nodeLabels: The machine's labels that relying parties may see (``Policy/disclosed(of:)``).
    /// - Throws: ``JOSEError/invalidKey(_:)`` for a bound key that is no key on P-256, which authentication has excluded.
    public func submodule(
        for quote: AuthenticatedQuote, nodeLabels: [String: String] = [:]
    ) throws(JOSEError) -> SubmoduleAppraisal {
        let encryption: BoundEncryptionKey?
        if let key = quote.keys.encryption {
            encryption = BoundEncryptionKey(key: try JSONWebKey(key.key), protection: protection(of: key, quote))
        } else {
            encryption = nil
        }
        var claims = VerifierClaims(
            depth: depth, keyProtection: protection(of: quote.keys.confirmation, quote), encryptionKey: encryption,
            banks: banks, nodeLabels: nodeLabels)
        claims.phases = phases
        claims.state = try state(quote, isNeeded: [claims.keyProtection, encryption?.protection].contains(.tpmState))
        return SubmoduleAppraisal(
            status: status, vector: vector, policyIDs: (policyID.map { [$0] } ?? []) + templateIDs,
            evidenceNonce: quote.nonce,
            attesterClaims: attesterClaims,
            verifierClaims: claims)
    }

    private func protection(of key: BoundKeys.Key, _ quote: AuthenticatedQuote) -> KeyProtection {
        guard key.isInTPM else { return .software }
        return key.isBound(to: stateSelection, of: quote.pcrs) ? .tpmState : .tpm
    }

    /// The state to which keys are bound, or secrets can be: where a key says so, or a storage key was certified.
    private func state(_ quote: AuthenticatedQuote, isNeeded: Bool) throws(JOSEError) -> StateBinding? {
        let storage = quote.keys.storage.flatMap { $0.isInTPM ? $0.key : nil }
        guard isNeeded || storage != nil, let policy = quote.pcrs.policy(stateSelection, .sha256) else { return nil }
        var storageKey: JSONWebKey?
        if let storage { storageKey = try JSONWebKey(storage) }
        return StateBinding(pcrs: stateSelection.text, policy: policy.bytes, storageKey: storageKey)
    }
}
