package import Yams

/// Reads the members of one YAML mapping strictly: each by name, none left over.
package struct MappingReader {
    private let pairs: [(name: String, value: Node)]
    /// Where each name stands in ``pairs``: a policy may name ten thousand files.
    private let places: [String: Int]
    private let line: Int?
    private let path: String
    private var read: Set<String> = []

    package init(_ node: Node, path: String) throws(PolicyError) {
        line = node.mark?.line
        self.path = path
        guard let mapping = node.mapping else {
            throw PolicyError(path, line: line, "is not a mapping of names to values")
        }
        var pairs: [(name: String, value: Node)] = []
        var places: [String: Int] = [:]
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                throw PolicyError(path, line: key.mark?.line, "has a name that is no text")
            }
            // YAML tells 7 from "7"; a reader does not, and must not find one rule and miss the other.
            guard places.updateValue(pairs.count, forKey: name) == nil else {
                throw PolicyError(path.isEmpty ? name : path + "." + name, line: key.mark?.line, "stands twice")
            }
            pairs.append((name, value))
        }
        self.pairs = pairs
        self.places = places
    }

    /// The names in the order of the text.
    package var names: [String] { pairs.map(\.name) }

    package func error(_ name: String, _ reason: String) -> PolicyError {
        let value = places[name].map { pairs[$0].value }
        return PolicyError(join(name), line: value?.mark?.line ?? line, reason)
    }

    package mutating func text(_ name: String) throws(PolicyError) -> String {
        guard let text = try optionalText(name) else { throw error(name, "is missing") }
        return text
    }

    package mutating func optionalText(_ name: String) throws(PolicyError) -> String? {
        guard let value = take(name) else { return nil }
        guard let text = value.scalar?.string else { throw error(name, "is not a text") }
        return text
    }

    /// A text or a list of texts.
    package mutating func texts(_ name: String) throws(PolicyError) -> [String] {
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

    package mutating func mapping(_ name: String) throws(PolicyError) -> MappingReader {
        guard let value = take(name) else { throw error(name, "is missing") }
        return try MappingReader(value, path: join(name))
    }

    package func has(_ name: String) -> Bool { places[name] != nil }

    package mutating func optionalMapping(_ name: String) throws(PolicyError) -> MappingReader? {
        has(name) ? try mapping(name) : nil
    }

    /// A list of texts, or one; empty when the member is missing.
    package mutating func optionalTexts(_ name: String) throws(PolicyError) -> [String] {
        has(name) ? try texts(name) : []
    }

    /// One of a few words.
    package mutating func optionalChoice<Choice: RawRepresentable & CaseIterable>(
        _ name: String
    ) throws(PolicyError) -> Choice? where Choice.RawValue == String {
        guard let text = try optionalText(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw error(name, "is \(text.prefix(40)), and none of \(words)")
        }
        return choice
    }

    /// An element of a list that is a text, or says more in a mapping.
    package enum Element {
        case text(String)
        case mapping(MappingReader)
    }

    /// A text, a mapping, or a list of these.
    package mutating func textsOrMappings(_ name: String) throws(PolicyError) -> [Element] {
        guard let value = take(name) else { throw error(name, "is missing") }
        let nodes = value.sequence.map(Array.init) ?? [value]
        var elements: [Element] = []
        for node in nodes {
            if let text = node.scalar?.string {
                elements.append(.text(text))
            } else if node.mapping != nil {
                elements.append(.mapping(try MappingReader(node, path: join(name))))
            } else {
                throw error(name, "has an element that is neither a text nor a mapping")
            }
        }
        return elements
    }

    package mutating func optionalTextsOrMappings(_ name: String) throws(PolicyError) -> [Element] {
        has(name) ? try textsOrMappings(name) : []
    }

    /// Requires that no member is unread.
    package func end() throws(PolicyError) {
        if let unknown = pairs.first(where: { !read.contains($0.name) }) {
            throw error(unknown.name, "is not a member of a policy")
        }
    }

    private mutating func take(_ name: String) -> Node? {
        read.insert(name)
        return places[name].map { pairs[$0].value }
    }

    private func join(_ name: String) -> String {
        if name.isEmpty { return path }
        return path.isEmpty ? name : path + "." + name
    }
}
