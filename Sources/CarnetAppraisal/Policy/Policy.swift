internal import Cryptography
internal import StrictEncoding
public import TPM2

/// What a good machine looks like: the values of its PCRs, the components that it may boot, the files that it may run.
///
/// A policy is read from one YAML file (``init(parsing:)``) and never changes; its digest names it in every token.
public struct Policy: Sendable, Hashable {
    /// One value that a PCR may hold.
    public struct AllowedValue: Sendable, Hashable {
        public let bytes: [UInt8]
        public let window: ValidityWindow

        /// A value that always counts, or one that counts for a time.
        public init(_ bytes: [UInt8], _ window: ValidityWindow = .always) {
            self.bytes = bytes
            self.window = window
        }
    }

    /// What a PCR may hold.
    public enum Rule: Sendable, Hashable {
        /// One of these values.
        case values([AllowedValue])
        /// Any value, if the logs explain it.
        case ignore
    }

    /// The rules of one bank.
    public struct Bank: Sendable, Hashable {
        public let algorithm: TPM.AlgorithmID
        public let rules: [Int: Rule]
    }

    /// Whether a log has to come with the evidence.
    public enum LogRule: String, Sendable, Hashable, CaseIterable {
        case none, optional, required
    }

    public let id: String
    public let description: String
    /// The machines that it is for.
    public let nodes: NodeSelector
    /// The labels that passports state, at most ``maximumDisclosureCount``: relying parties see these and no others.
    public let discloses: Set<String>
    /// Whether evidence without a log that explains every quoted PCR is refused.
    public let requiresEventLog: Bool
    /// Whether systemd's log of what user space measured is wanted.
    public let runtimeLog: LogRule
    /// In the order in which the PCRs are quoted: by algorithm number.
    public let banks: [Bank]
    /// Whether a machine may hold the values of an uploaded template instead of those that the policy names.
    public let acceptsTemplates: Bool
    public let boot: BootRules
    /// At most one rule for each class.
    public internal(set) var components: [ComponentRule]
    /// What is demanded of the files that ran; `nil` when the policy does not look at them.
    public internal(set) var ima: IMARules?
    /// The sets of reference values that count beside what the policy itself names.
    public let references: [ReferenceSetName]
    /// Those of ``references`` that are not at hand: nothing is appraised before ``resolved(with:)`` brought them in.
    public internal(set) var missingReferences: [ReferenceSetName]
    /// What sets hold and no rule takes.
    var referenceWarnings: [String] = []
    /// The file's bytes.
    public let text: [UInt8]
    /// SHA-256 over ``text``.
    public let digest: [UInt8]

    init(_ draft: PolicyDraft, text: [UInt8]) {
        id = draft.id
        description = draft.description
        nodes = draft.nodes
        discloses = draft.discloses
        requiresEventLog = draft.requiresEventLog
        runtimeLog = draft.runtimeLog
        banks = draft.banks
        acceptsTemplates = draft.acceptsTemplates
        boot = draft.boot
        components = draft.components
        ima = draft.ima
        references = draft.references
        missingReferences = draft.references
        self.text = text
        digest = HashAlgorithm.sha256.hash(text)
    }

    /// How tokens name the policy and its version: `tag:carnet.dev,2026:policy/<id>@sha256:<digest>`.
    public var identifier: String { "tag:carnet.dev,2026:policy/\(id)@sha256:\(Hexadecimal.encode(digest))" }

    /// The PCRs to quote: each that a rule names, and no other.
    public var selection: TPM.PCRSelectionList {
        TPM.PCRSelectionList(banks.map { TPM.PCRSelection(bank: $0.algorithm, indices: $0.rules.keys) })
    }

    /// The PCRs that a key which follows the machine's state has to be bound to: every quoted one but IMA's, which moves with each file.
    public var stateSelection: TPM.PCRSelectionList {
        TPM.PCRSelectionList(
            selection.selections.compactMap { bank in
                let indices = bank.indices.filter { $0 != ima?.pcr }
                return indices.isEmpty ? nil : TPM.PCRSelection(bank: bank.bank, indices: indices)
            })
    }

    /// The rule of a PCR.
    public func rule(forPCR pcr: Int, in bank: TPM.AlgorithmID) -> Rule? {
        banks.first { $0.algorithm == bank }?.rules[pcr]
    }

    /// Two policies are the same when their texts are, whether or not the sets that they name are at hand.
    public static func == (left: Policy, right: Policy) -> Bool { left.text == right.text }

    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// The members of a policy, as they were read.
struct PolicyDraft {
    var id = ""
    var description = ""
    var nodes = NodeSelector.all
    var discloses: Set<String> = []
    var requiresEventLog = true
    var runtimeLog = Policy.LogRule.none
    var banks: [Policy.Bank] = []
    var acceptsTemplates = false
    var boot = BootRules.none
    var components: [ComponentRule] = []
    var ima: IMARules?
    var references: [ReferenceSetName] = []
}
