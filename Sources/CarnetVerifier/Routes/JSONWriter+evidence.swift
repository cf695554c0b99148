import CarnetRecords
import CarnetAppraisal
import CarnetEvidence
import StrictEncoding
import TPM2

extension JSONWriter {
    /// The most findings in one answer and one ledger entry.
    private static let maximumFindingCount = 100

    /// Writes a PCR selection as `[{"bank":"sha256","pcrs":[0,1]}]`.
    mutating func selection(_ name: StaticString, _ list: TPM.PCRSelectionList) {
        array(name) { writer in
            for selection in list.selections {
                writer.object { writer in
                    writer.string("bank", selection.bank.description)
                    writer.array("pcrs") { writer in
                        for index in selection.indices { writer.element(Int64(index)) }
                    }
                }
            }
        }
    }

    /// Writes what evidence has to cover.
    mutating func requirements(_ policy: Policy?, _ logs: EvidenceRequirements) {
        selection("pcr_selection", policy?.selection ?? ActivePolicy.selectionWithoutPolicy)
        if let state = policy?.stateSelection, state.pcrCount > 0 { selection("state_pcr_selection", state) }
        logs.write(to: &self)
    }

    /// Writes findings as an array of objects.
    mutating func findings(_ name: StaticString, _ findings: [Finding]) {
        array(name) { writer in for finding in findings.prefix(Self.maximumFindingCount) { writer.finding(finding) } }
    }

    /// Findings as a JSON array, for the ledger.
    static func findings(_ findings: [Finding]) -> [UInt8] {
        let object = JSONWriter.object { $0.findings("f", findings) }
        return Array(object.dropFirst(5).dropLast())
    }

    private mutating func finding(_ finding: Finding) {
        object { writer in
            writer.string("family", finding.family.rawValue)
            writer.string("rule", finding.rule)
            if let bank = finding.bank { writer.string("bank", bank) }
            if let pcr = finding.pcr { writer.integer("pcr", Int64(pcr)) }
            if let event = finding.event { writer.integer("event", Int64(event)) }
            writer.string("description", finding.description)
            if let expected = finding.expected { writer.string("expected", expected) }
            if let found = finding.found { writer.string("found", found) }
            writer.string("remedy", finding.remedy)
        }
    }
}

extension EvidenceRequirements {
    /// What a policy wants of a machine of which nothing is known yet.
    init(_ policy: Policy?) {
        let runtimeLog: Log =
            switch policy?.runtimeLog ?? .none {
            case .none: .none
            case .optional: .optional
            case .required: .required
            }
        self.init(
            eventLog: policy?.requiresEventLog ?? false ? .required : .optional, runtimeLog: runtimeLog,
            imaOffset: policy?.ima == nil ? nil : 0)
    }
}
