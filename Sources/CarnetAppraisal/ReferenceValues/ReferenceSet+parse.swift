internal import StrictEncoding

extension ReferenceSet {
    /// Reads one JSON document of version 1 strictly: members are known and stand once, values are of their one spelling and stand once.
    ///
    /// The order of values and white space do not matter; ``bytes()`` writes what was read in the one order.
    public init(parsing bytes: [UInt8]) throws(ReferenceSetError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw .tooLarge("\(bytes.count) bytes; at most \(Self.maximumByteCount) are read")
        }
        try Self.checkCounts(of: bytes)
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: bytes, maximumByteCount: Self.maximumByteCount, maximumDepth: 3)
        } catch { throw .notJSON("\(error)") }
        let root = document.root
        guard root.isObject else { throw .invalid(place: "the top level", reason: "is no object") }
        try root.requireMembers(among: ["version", "name", "description", "components", "files"], "the top level")
        guard root["version"]?.integer == 1 else { throw .invalid(place: "version", reason: "is not 1") }
        let components = try Self.list(root, "components", Self.maximumComponentCount) {
            (node, place) throws(ReferenceSetError) in try ReferenceComponent(node, place)
        }
        let files = try Self.list(root, "files", Self.maximumFileCount) { (node, place) throws(ReferenceSetError) in
            try ReferenceFile(node, place)
        }
        try self.init(
            name: root.requireString("name", "the top level"),
            description: root.string(ifAny: "description", "the top level") ?? "", components: components, files: files)
    }

    private static func list<Value>(
        _ root: JSONNode, _ member: String, _ maximum: Int,
        _ read: (JSONNode, _ place: () -> String) throws(ReferenceSetError) -> Value
    ) throws(ReferenceSetError) -> [Value] {
        guard let node = root[member] else { return [] }
        guard node.isArray else { throw .invalid(place: member, reason: "is no array") }
        guard node.count <= maximum else { throw .tooLarge("\(node.count) \(member); at most \(maximum) may be") }
        var values: [Value] = []
        values.reserveCapacity(node.count)
        for (index, element) in (node.elements ?? []).enumerated() {
            values.append(try read(element) { "\(member)[\(index)]" })
        }
        return values
    }
}

extension ReferenceComponent {
    fileprivate init(_ node: JSONNode, _ place: () -> String) throws(ReferenceSetError) {
        try node.requireMembers(among: ["class", "digest", "name", "from", "until"], place())
        let type = try node.requireString("class", place())
        guard let type = Class(rawValue: type) else {
            throw .invalid(place: place(), reason: "has the class \(type.prefix(40).debugDescription)")
        }
        let digest = try ReferenceDigest(node, place)
        let from = try time(node, "from", place), until = try time(node, "until", place)
        guard let window = ValidityWindow(from: from, until: until) else {
            throw .invalid(place: place(), reason: "has a window that ends before it begins")
        }
        guard let component = Self(type, digest, name: try node.requireString("name", place()), window: window) else {
            throw .invalid(place: place(), reason: "has a name or a digest that its class may not have")
        }
        self = component
    }
}

extension ReferenceFile {
    fileprivate init(_ node: JSONNode, _ place: () -> String) throws(ReferenceSetError) {
        guard node.isObject, node.count == 2, let path = node["path"]?.withStringBytes({ Array($0) }),
            node["digest"] != nil
        else { throw .invalid(place: place(), reason: "has not exactly a path and a digest") }
        guard let file = Self(path: path, try ReferenceDigest(node, place)) else {
            throw .invalid(place: place(), reason: "has a path that is not absolute or not in its shortest spelling")
        }
        self = file
    }
}

extension ReferenceDigest {
    fileprivate init(_ node: JSONNode, _ place: () -> String) throws(ReferenceSetError) {
        guard let text = node["digest"]?.string, let digest = Self(text) else {
            throw .invalid(
                place: place(), reason: "has no digest of sha256:, sha384: or sha512: and lower-case digits")
        }
        self = digest
    }
}

/// The time that a member spells, in seconds since 1970; `nil` for one that is not there.
private func time(_ node: JSONNode, _ member: String, _ place: () -> String) throws(ReferenceSetError) -> Int64? {
    guard let text = try node.string(ifAny: member, place()) else { return nil }
    guard let time = RFC3339.parse(text) else {
        throw .invalid(place: place(), reason: "has a time \(member) that is not like 2026-12-01T00:00:00Z")
    }
    return time
}

extension JSONNode {
    fileprivate func requireMembers(
        among known: [String], _ place: @autoclosure () -> String
    ) throws(ReferenceSetError) {
        guard isObject else { throw .invalid(place: place(), reason: "is no object") }
        guard known.count(where: { self[$0] != nil }) != count else { return }
        let unknown = members?.first { member in !known.contains { $0.utf8.elementsEqual(member.name.utf8) } }
        throw .invalid(place: place(), reason: "has the member \((unknown?.name ?? "").prefix(40).debugDescription)")
    }

    fileprivate func requireString(
        _ member: String, _ place: @autoclosure () -> String
    ) throws(ReferenceSetError) -> String {
        guard let text = try string(ifAny: member, place()) else {
            throw .invalid(place: place(), reason: "has no \(member)")
        }
        return text
    }

    fileprivate func string(
        ifAny member: String, _ place: @autoclosure () -> String
    ) throws(ReferenceSetError) -> String? {
        guard let node = self[member] else { return nil }
        guard let text = node.string else {
            throw .invalid(place: place(), reason: "has a \(member) that is no string")
        }
        return text
    }
}
