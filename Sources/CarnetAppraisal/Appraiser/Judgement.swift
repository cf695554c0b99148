internal import CarnetEvidence
internal import CarnetResult
internal import MeasurementLogs
internal import TPM2

/// What was found so far about one machine, by weight.
struct Judgement {
    /// The evidence contradicts itself or lacks what is demanded: no token.
    var broken: [Finding] = []
    /// The machine is not what the policy allows.
    var violations: [Finding] = []
    /// The machine has something that the policy tolerates, and no more.
    var warnings: [Finding] = []
    /// What decides nothing, and people want to know.
    var remarks: [Finding] = []
    /// For each PCR that the policy says something about, whether it held in every bank.
    var matches: [Int: Bool] = [:]
    /// Whether every file that ran was looked at and allowed; `nil` when IMA was not asked about.
    var filesAreAllowed: Bool?

    /// Takes findings about a component, by what the rule says about others.
    mutating func add(_ findings: [Finding], _ others: ComponentRule.Others, pcr: Int) {
        switch others {
        case .refuse:
            violations += findings
            matches[pcr] = (matches[pcr] ?? true) && findings.isEmpty
        case .warn:
            warnings += findings
            if findings.isEmpty { matches[pcr] = matches[pcr] ?? true }
        case .accept: break
        }
    }

    /// Takes what a boot's log says of itself.
    mutating func add(_ firmware: FirmwareFindings) {
        violations += firmware.violations
        remarks += firmware.remarks
    }

    /// The tier of the whole.
    var status: TrustTier { violations.isEmpty ? warnings.isEmpty ? .affirming : .warning : .contraindicated }
}
