public import StrictEncoding

/// A JSON object in a request's body, read strictly: what is missing, of another kind, too long or unknown is refused with
/// the path of the member at fault.
public struct RequestObject: Sendable {
    /// The object itself.
    public let node: JSONNode
    private let path: String
    /// The most values of JSON in a body, some times what any call has.
    private static let maximumValueCount = 1 << 14

    /// Reads a whole body.
    ///
    /// - Throws: ``Problem`` when the body is no JSON object, has a member twice, or nests deeper than `maximumDepth`.
    public init(_ body: [UInt8], maximumDepth: Int = 8) throws(Problem) {
        let root: JSONNode
        do {
            root = try JSONDocument(
                parsing: body, maximumByteCount: body.count, maximumDepth: maximumDepth,
                maximumValueCount: Self.maximumValueCount
            ).root
        } catch {
            throw .malformed("The body is not JSON that is read here: \(error)")
        }
        try self.init(root, path: "")
    }

    private init(_ node: JSONNode, path: String) throws(Problem) {
        guard node.isObject else {
            throw .malformed("An object is needed here, not \(node.kind).", member: path.isEmpty ? nil : path)
        }
        self.node = node
        self.path = path
    }

    /// Refuses members that are not in `names`.
    public func requireOnly(_ names: Set<String>) throws(Problem) {
        for (name, _) in node.members ?? [] where !names.contains(name) {
            throw .malformed(
                "There is no such member; \(names.sorted().joined(separator: ", ")) are known.", member: place(name))
        }
    }

    /// A string of at most `maximumByteCount` bytes of UTF-8.
    public func string(_ name: String, upTo maximumByteCount: Int) throws(Problem) -> String {
        guard let value = try optionalString(name, upTo: maximumByteCount) else { throw missing(name) }
        return value
    }

    /// A string, or `nil` when the member is missing.
    public func optionalString(_ name: String, upTo maximumByteCount: Int) throws(Problem) -> String? {
        guard let member = node[name] else { return nil }
        guard let value = member.string else { throw mismatch(name, "a string", member) }
        guard value.utf8.count <= maximumByteCount else {
            throw .malformed(
                "\(value.utf8.count) bytes, where at most \(maximumByteCount) are read.", member: place(name))
        }
        return value
    }

    /// Bytes in base64url without padding.
    public func bytes(_ name: String, _ count: ClosedRange<Int>) throws(Problem) -> [UInt8] {
        guard let value = try optionalBytes(name, count) else { throw missing(name) }
        return value
    }

    /// Bytes in base64url without padding, or `nil` when the member is missing.
    public func optionalBytes(_ name: String, _ count: ClosedRange<Int>) throws(Problem) -> [UInt8]? {
        guard let member = node[name] else { return nil }
        return try Self.bytes(member, count, place: place(name))
    }

    /// An array of byte strings, empty when the member is missing.
    public func bytesArray(_ name: String, upTo maximumCount: Int, _ count: ClosedRange<Int>) throws(Problem)
        -> [[UInt8]]
    {
        guard let member = node[name] else { return [] }
        guard let elements = member.elements else { throw mismatch(name, "an array", member) }
        guard elements.count <= maximumCount else {
            throw .malformed("\(elements.count) elements, where at most \(maximumCount) are read.", member: place(name))
        }
        var values: [[UInt8]] = []
        for (index, element) in elements.enumerated() {
            values.append(try Self.bytes(element, count, place: place(name) + "[\(index)]"))
        }
        return values
    }

    /// An object inside this one.
    public func object(_ name: String) throws(Problem) -> RequestObject {
        guard let member = node[name] else { throw missing(name) }
        return try RequestObject(member, path: place(name))
    }

    /// The path of a member, as problems name it.
    public func place(_ name: String) -> String { path.isEmpty ? name : path + "." + name }

    private static func bytes(_ node: JSONNode, _ count: ClosedRange<Int>, place: String) throws(Problem) -> [UInt8] {
        guard let text = node.string else {
            throw .malformed("A string is needed here, not \(node.kind).", member: place)
        }
        guard let bytes = Base64URL.decode(text) else {
            throw .malformed("This is not base64url without padding (RFC 4648 §5).", member: place)
        }
        guard count.contains(bytes.count) else {
            let expected = count.count == 1 ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
            throw .malformed("\(bytes.count) bytes, where \(expected) are needed.", member: place)
        }
        return bytes
    }

    private func missing(_ name: String) -> Problem { .malformed("The member is missing.", member: place(name)) }

    private func mismatch(_ name: String, _ expected: String, _ found: JSONNode) -> Problem {
        .malformed("\(expected) is needed here, not \(found.kind).", member: place(name))
    }
}
