package import CarnetAppraisal
import CarnetResult
import Cryptography

extension LedgerEntry.Particulars {
    /// What there is to say of an appraisal.
    ///
    /// - Parameters:
    ///   - expiry: When its token expires, in seconds since 1970, if there is one.
    ///   - keyID: The `kid` of the key that signs it.
    package init(_ outcome: AppraisalOutcome, _ inputs: AppraisalInputs, expiry: Int64, _ keyID: String) {
        self.init(outcome)
        inputsDigest = HashAlgorithm.sha256.hash(inputs.bytes)
        guard case .verdict = outcome else { return }
        tokenExpiresAt = expiry
        tokenKeyID = keyID
    }

    /// What the verdict says beside its findings.
    init(_ outcome: AppraisalOutcome) {
        self.init()
        guard case .verdict(let verdict) = outcome else { return }
        policyID = verdict.policyID
        depth = verdict.depth.rawValue
        for (claim, value) in verdict.vector.asserted { vector[claim.rawValue] = Int64(value) }
        templates = verdict.templateIDs
    }
}
