internal import Yams

/// Reads the members of one YAML mapping strictly: each by name, none left over.
struct MappingReader {
    private let pairs: [(name: String, value: Node)]
    private let line: Int?
    private let path: String
    private var read: Set<String> = []

    init(_ node: Node, path: String) throws(PolicyError) {
        line = node.mark?.line
        self.path = path
        guard let mapping = node.mapping else {
            throw PolicyError(path, line: line, "is not a mapping of names to values")
        }
        var pairs: [(name: String, value: Node)] = []
        var names: Set<String> = []
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                throw PolicyError(path, line: key.mark?.line, "has a name that is no text")
            }
            // YAML tells 7 from "7"; a reader does not, and must not find one rule and miss the other.
            guard names.insert(name).inserted else {
                throw PolicyError(path.isEmpty ? name : path + "." + name, line: key.mark?.line, "stands twice")
            }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }

    /// The names in the order of the text.
    var names: [String] { pairs.map(\.name) }

    func error(_ name: String, _ reason: String) -> PolicyError {
        let value = pairs.first { $0.name == name }?.value
        return PolicyError(join(name), line: value?.mark?.line ?? line, reason)
    }

    mutating func text(_ name: String) throws(PolicyError) -> String {
        guard let text = try optionalText(name) else { throw error(name, "is missing") }
        return text
    }

    mutating func optionalText(_ name: String) throws(PolicyError) -> String? {
        guard let value = take(name) else { return nil }
        guard let text = value.scalar?.string else { throw error(name, "is not a text") }
        return text
    }

    /// A text or a list of texts.
    mutating func texts(_ name: String) throws(PolicyError) -> [String] {
        guard let value = take(name) else { throw error(name, "is missing") }
        if let text = value.scalar?.string { return [text] }
        guard let sequence = value.sequence else { throw error(name, "is neither a text nor a list of texts") }
        var texts: [String] = []
        for element in sequence {
            guard let text = element.scalar?.string else { throw error(name, "has an element that is no text") }
            texts.append(text)
        }
        return texts
    }

    mutating func mapping(_ name: String) throws(PolicyError) -> MappingReader {
        guard let value = take(name) else { throw error(name, "is missing") }
        return try MappingReader(value, path: join(name))
    }

    /// Requires that no member is unread.
    func end() throws(PolicyError) {
        if let unknown = pairs.first(where: { !read.contains($0.name) }) {
            throw error(unknown.name, "is not a member of a policy")
        }
    }

    private mutating func take(_ name: String) -> Node? {
        read.insert(name)
        return pairs.first { $0.name == name }?.value
    }

    private func join(_ name: String) -> String {
        if name.isEmpty { return path }
        return path.isEmpty ? name : path + "." + name
    }
}
