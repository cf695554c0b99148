extension Finding {
    /// The finding as every program prints it: what is wrong, where, what was expected and found, and what to do; lines of text without a
    /// line feed at the end. Nothing of it is left out, so that it can be compared with what the ledger keeps.
    public var text: String {
        let kind =
            switch family {
            case .policyViolation: "policy"
            case .brokenEvidenceChain: "evidence"
            case .remark: "remark"
            }
        var lines = ["  \(kind): \(description) [\(rule)]"]
        let place = [bank, pcr.map { "PCR \($0)" }, event.map { "event \($0)" }].compactMap(\.self)
        if !place.isEmpty { lines.append("    where:    \(place.joined(separator: ", "))") }
        if let expected { lines.append("    expected: \(expected)") }
        if let found { lines.append("    found:    \(found)") }
        lines.append("    do:       \(remedy)")
        return lines.joined(separator: "\n")
    }
}
