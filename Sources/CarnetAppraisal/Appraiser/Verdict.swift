public import CarnetEvidence
public import CarnetResult
public import MeasurementLogs
public import TPM2

/// What appraisal says about an authentic quote.
public struct Verdict: Sendable {
    public let status: TrustTier
    public let vector: TrustworthinessVector
    public let depth: AppraisalDepth
    /// The policy's identifier with its digest; `nil` when there was no policy.
    public let policyID: String?
    /// What is wrong, then what is odd: remarks come last.
    public let findings: [Finding]
    public let attesterClaims: AttesterClaims
    public let banks: [String]
    /// The phases that the boot has reached, where the policy quotes PCR 11 and the runtime log explains it.
    public var phases: [String]?
    /// The templates whose values the machine holds, with their digests.
    public var templateIDs: [String] = []
    /// From where the machine's next list of files may go on, in this boot and under this policy; `nil` for from its beginning.
    public var imaCheckpoint: IMACheckpoint?
    /// How many bytes of the list that came the quote covers; `nil` when none was appraised.
    public var imaCoveredByteCount: Int?
    /// The PCRs that make up the machine's state; empty without a policy, when nothing can be bound to it.
    public var stateSelection = TPM.PCRSelectionList([])
}

/// The two ways in which an appraisal ends. Only a verdict becomes a token.
public enum AppraisalOutcome: Sendable {
    case verdict(Verdict)
    /// The evidence contradicts itself, or lacks what the policy demands of it: there is nothing to state about the machine.
    case broken([Finding])

    /// The findings of either.
    public var findings: [Finding] {
        switch self {
        case .verdict(let verdict): verdict.findings
        case .broken(let findings): findings
        }
    }
}
