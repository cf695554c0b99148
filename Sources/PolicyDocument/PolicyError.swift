/// Why a text is not a policy: where, and what is wrong.
public struct PolicyError: Error, Hashable, CustomStringConvertible {
    /// The member at fault, like `banks.sha256.4`; empty for the whole.
    public let member: String
    /// The line, from 1, where it is known.
    public let line: Int?
    public let reason: String

    package init(_ member: String, line: Int? = nil, _ reason: String) {
        self.member = member
        self.line = line
        self.reason = reason
    }

    /// Place and reason in one sentence.
    public var description: String {
        [line.map { "line \($0)" }, member.isEmpty ? nil : member, reason].compactMap { $0 }.joined(separator: ": ")
    }
}
