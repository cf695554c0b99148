/// One thing that is wrong with evidence, or odd about it, told so that an operator knows what to do.
///
/// The same text goes to the API, the command line and the ledger. It names values that were measured, never a nonce, a token or a key.
public struct Finding: Sendable, Hashable, Codable, CustomStringConvertible {
    /// How wrong it is.
    public enum Family: String, Sendable, Hashable, Codable {
        /// The evidence proves nothing: it is not authentic, not fresh, or contradicts itself. There is no token.
        case brokenEvidenceChain = "broken-evidence-chain"
        /// The evidence is authentic, and the machine is not what the policy allows.
        case policyViolation = "policy-violation"
        /// Something that was read around, or that no rule stands on. The verdict is the same without it.
        case remark
    }

    public var family: Family
    /// A stable name of the rule that was broken.
    public var rule: String
    public var bank: String?
    public var pcr: Int?
    /// The number of the event in the firmware's log, from 0.
    public var event: Int?
    public var description: String
    public var expected: String?
    public var found: String?
    /// What to do about it.
    public var remedy: String

    /// A finding.
    public init(
        _ family: Family, rule: String, bank: String? = nil, pcr: Int? = nil, event: Int? = nil, _ description: String,
        expected: String? = nil, found: String? = nil, remedy: String
    ) {
        self.family = family
        self.rule = rule
        self.bank = bank
        self.pcr = pcr
        self.event = event
        self.description = description
        self.expected = expected
        self.found = found
        self.remedy = remedy
    }
}
