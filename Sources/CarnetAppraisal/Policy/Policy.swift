internal import Cryptography
internal import StrictEncoding
public import TPM2

/// What a good machine looks like: for each quoted PCR the values that are allowed, and whether the firmware's log must explain them.
///
/// A policy is read from one YAML file (``init(parsing:)``) and never changes; its digest names it in every token.
public struct Policy: Sendable, Hashable {
    /// What a PCR may hold.
    public enum Rule: Sendable, Hashable {
        /// One of these values.
        case values([[UInt8]])
        /// Any value, if the log explains it.
        case ignore
    }

    /// The rules of one bank.
    public struct Bank: Sendable, Hashable {
        public let algorithm: TPM.AlgorithmID
        public let rules: [Int: Rule]
    }

    public let id: String
    public let description: String
    /// Whether evidence without a log that explains every quoted PCR is refused.
    public let requiresEventLog: Bool
    /// In the order in which the PCRs are quoted: by algorithm number.
    public let banks: [Bank]
    /// The file's bytes.
    public let text: [UInt8]
    /// SHA-256 over ``text``.
    public let digest: [UInt8]

    init(id: String, description: String, requiresEventLog: Bool, banks: [Bank], text: [UInt8]) {
        self.id = id
        self.description = description
        self.requiresEventLog = requiresEventLog
        self.banks = banks
        self.text = text
        digest = HashAlgorithm.sha256.hash(text)
    }

    /// How tokens name the policy and its version: `tag:carnet.dev,2026:policy/<id>@sha256:<digest>`.
    public var identifier: String { "tag:carnet.dev,2026:policy/\(id)@sha256:\(Hexadecimal.encode(digest))" }

    /// The PCRs to quote: each that a rule names, and no other.
    public var selection: TPM.PCRSelectionList {
        TPM.PCRSelectionList(banks.map { TPM.PCRSelection(bank: $0.algorithm, indices: $0.rules.keys) })
    }

    /// The rule of a PCR.
    public func rule(forPCR pcr: Int, in bank: TPM.AlgorithmID) -> Rule? {
        banks.first { $0.algorithm == bank }?.rules[pcr]
    }
}
