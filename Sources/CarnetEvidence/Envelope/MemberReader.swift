internal import StrictEncoding

/// Reads the members of one JSON object strictly: each by name, none left over.
struct MemberReader {
    private let node: JSONNode
    private let path: String
    private var read: Set<String> = []

    init(_ node: JSONNode, path: String) throws(EvidenceError) {
        guard node.isObject else { throw EvidenceError(path, "is \(node.kind), not an object") }
        self.node = node
        self.path = path
    }

    func path(of name: String) -> String { path.isEmpty ? name : path + "." + name }

    mutating func optional(_ name: String) -> JSONNode? {
        read.insert(name)
        return node[name]
    }

    mutating func required(_ name: String) throws(EvidenceError) -> JSONNode {
        guard let member = optional(name) else { throw EvidenceError(path(of: name), "is missing") }
        return member
    }

    mutating func bytes(_ name: String, maximum: Int) throws(EvidenceError) -> [UInt8] {
        try Self.bytes(required(name), path(of: name), maximum: maximum)
    }

    mutating func optionalBytes(_ name: String, maximum: Int) throws(EvidenceError) -> [UInt8]? {
        guard let member = optional(name) else { return nil }
        return try Self.bytes(member, path(of: name), maximum: maximum)
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(EvidenceError) -> Int {
        let member = try required(name)
        guard let value = member.integer.flatMap({ Int(exactly: $0) }), range.contains(value) else {
            throw EvidenceError(path(of: name), "is not an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    mutating func object(_ name: String) throws(EvidenceError) -> MemberReader {
        try MemberReader(required(name), path: path(of: name))
    }

    /// Requires that no member is unread.
    func end() throws(EvidenceError) {
        for (name, _) in node.members ?? [] where !read.contains(name) {
            throw EvidenceError(path(of: Self.shown(name)), "is not a member that is known here")
        }
    }

    /// What may be shown of a name that somebody made up.
    static func shown(_ name: String) -> String {
        String(name.unicodeScalars.prefix(60).filter { $0.value > 0x20 && $0.value < 0x7F }.map(Character.init))
    }

    static func bytes(_ node: JSONNode, _ path: String, maximum: Int) throws(EvidenceError) -> [UInt8] {
        guard let textCount = node.withStringBytes(\.count) else {
            throw EvidenceError(path, "is \(node.kind), not a string")
        }
        // Four characters for three bytes, and for the last one or two bytes one character more than bytes.
        let count = textCount / 4 * 3 + max(0, textCount % 4 - 1)
        guard count <= maximum else {
            throw EvidenceError(path, "has \(count) bytes; at most \(maximum) are read")
        }
        guard let bytes = node.withStringBytes({ Base64URL.decode($0) }) ?? nil else {
            throw EvidenceError(path, "is not base64url without padding")
        }
        return bytes
    }
}
