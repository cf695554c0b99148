internal import CarnetEvidence
package import StrictEncoding

extension Finding {
    /// Reads a finding as a verifier writes it.
    package init(_ node: JSONNode) throws {
        guard let family = node["family"]?.string.flatMap(Family.init(rawValue:)), let rule = node["rule"]?.string,
            let description = node["description"]?.string
        else {
            throw AttesterClient.Unreadable(
                description: "A finding of the verifier lacks its family, rule or description.")
        }
        self.init(
            family, rule: rule, bank: node["bank"]?.string, pcr: node["pcr"]?.integer.flatMap { Int(exactly: $0) },
            event: node["event"]?.integer.flatMap { Int(exactly: $0) }, description, expected: node["expected"]?.string,
            found: node["found"]?.string, remedy: node["remedy"]?.string ?? "")
    }
}
