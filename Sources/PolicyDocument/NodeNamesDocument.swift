/// The YAML file that says which node of a cluster each machine is.
///
///     names:
///       node-17: urn:carnet:node:5f0c…
package enum NodeNamesDocument {
    /// The most names.
    package static let maximumCount = 100_000

    /// The machines by the names of nodes. That names and machines are what they should be is for whoever uses them to see.
    package static func subjects(in text: String) throws(PolicyError) -> [String: String] {
        var root = try MappingReader(PolicyDocument.compose(text), path: "")
        var reader = try root.mapping("names")
        try root.end()
        guard reader.names.count <= maximumCount else {
            throw PolicyError("names", "has \(reader.names.count) names; at most \(maximumCount) are read")
        }
        var subjects: [String: String] = [:]
        var nodes: [String: String] = [:]
        for name in reader.names {
            let subject = try reader.text(name)
            if let other = nodes.updateValue(name, forKey: subject) {
                throw reader.error(name, "is the machine that \(other) is too")
            }
            subjects[name] = subject
        }
        try reader.end()
        return subjects
    }
}
