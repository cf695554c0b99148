import NIOCore

/// A change that watches tell.
struct StoredChange: Sendable {
    enum Kind: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
    }

    let kind: Kind
    /// What is there now; what was there last, for a deletion.
    let object: StoredObject
    /// What was there before.
    let previous: StoredObject?
    /// The line of a watch that tells it to everybody whose selector matches before and after. Watches share its bytes.
    let line: ByteBuffer

    init(_ kind: Kind, _ object: StoredObject, previous: StoredObject?) {
        self.kind = kind
        self.object = object
        self.previous = previous
        line = Self.line(kind.rawValue, object.text)
    }

    /// The line for a watch with a selector; `nil` when the change is none of its business.
    func line(for selector: ObjectSelector) -> ByteBuffer? {
        if selector.matchesEverything { return line }
        let matches = kind != .deleted && selector.matches(object.value)
        let matched = previous.map { selector.matches($0.value) } ?? false
        switch (matched, matches) {
        case (false, false): return nil
        case (true, true): return line
        case (false, true): return kind == .added ? line : Self.line("ADDED", object.text)
        case (true, false): return kind == .deleted ? line : Self.line("DELETED", object.text)
        }
    }

    /// A line of a watch.
    static func line(_ type: String, _ object: ByteBuffer) -> ByteBuffer {
        var line = ByteBuffer()
        line.reserveCapacity(object.readableBytes + 40)
        line.writeString("{\"type\":\"\(type)\",\"object\":")
        line.writeImmutableBuffer(object)
        line.writeString("}\n")
        return line
    }
}
