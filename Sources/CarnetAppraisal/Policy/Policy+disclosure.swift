internal import PolicyDocument

extension Policy {
    /// The most labels that a policy discloses: so many of the longest fit into a passport of 4 KiB beside all else.
    public static let maximumDisclosureCount = 8

    /// Those of a machine's labels that its passports state. A disclosed label that the machine does not have is not stated.
    public func disclosed(of labels: [String: String]) -> [String: String] {
        labels.filter { discloses.contains($0.key) }
    }

    /// Reads `discloses: [role, site]`.
    static func readDisclosures(_ root: inout MappingReader) throws(PolicyError) -> Set<String> {
        var names: Set<String> = []
        for name in try root.optionalTexts("discloses") {
            guard NodeSelector.isLabel(name) else {
                throw root.error(
                    "discloses",
                    "has \(name.prefix(80)), which is no label: 1 to 63 letters, digits, dots, dashes, underscores, slashes"
                )
            }
            guard names.insert(name).inserted else { throw root.error("discloses", "names the same label twice") }
            guard names.count <= maximumDisclosureCount else {
                throw root.error("discloses", "names more than \(maximumDisclosureCount) labels")
            }
        }
        return names
    }
}
