import CarnetRecords
import CarnetEvidence
import CarnetResult

extension Finding {
    /// The evidence names an attestation key that was never enrolled.
    static let unknownAttestationKey = Finding(
        .brokenEvidenceChain, rule: "unknown-attestation-key", "No enrolled machine has this attestation key",
        remedy: "Enrol the machine with `carnet-agent enrol`")

    /// The stored keys no longer satisfy the rules, or were damaged.
    static func unusableKeys(_ reason: String) -> Finding {
        Finding(
            .brokenEvidenceChain, rule: "enrolled-keys",
            "The keys that are enrolled for this machine cannot be used: \(reason)",
            remedy: "Let an operator remove the node and enrol it again")
    }

    /// The machine waits for an operator.
    static func notApproved(_ node: Node) -> Finding {
        Finding(
            .brokenEvidenceChain, rule: "node-not-approved", "The machine is enrolled, and no operator has approved it",
            remedy: "Run `carnet node approve \(node.identity.name)`")
    }
}

extension Ledger.Circumstances {
    /// What changed while the evidence was appraised.
    func findings(about node: Node) -> [Finding] {
        var findings: [Finding] = []
        if !nodeStands {
            findings.append(
                Finding(
                    .brokenEvidenceChain, rule: "node-changed",
                    "The machine was removed, or its labels were changed, while its evidence was appraised",
                    remedy: "Ask for a new session and quote again; if that fails, enrol the machine again"))
        }
        if !countersStand {
            findings.append(
                Finding(
                    .brokenEvidenceChain, rule: "boot-counters",
                    "Another quote of this TPM, made later, was appraised in between",
                    remedy: "Ask for a new session and quote again"))
        }
        return findings
    }
}

extension LedgerEntry.Outcome {
    /// The outcome of a verdict with a status.
    init(_ status: TrustTier) {
        self =
            switch status {
            case .affirming: .affirming
            case .warning: .warning
            case .contraindicated: .contraindicated
            case .none: .none
            }
    }
}
