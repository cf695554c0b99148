import StrictEncoding

/// A JSON value that tests can build and change: what a Kubernetes object is before anybody gives it a type.
package enum HarnessJSON: Sendable, Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([HarnessJSON])
    case object([String: HarnessJSON])

    /// Reads a text whose top level is an object or an array.
    package init(parsing bytes: [UInt8]) throws {
        let document = try JSONDocument(
            parsing: bytes, maximumByteCount: 1 << 28, maximumDepth: 64, maximumValueCount: 1 << 24)
        self.init(document.root)
    }

    private init(_ node: JSONNode) {
        if let members = node.members {
            self = .object(Dictionary(members.map { ($0.name, HarnessJSON($0.value)) }) { first, _ in first })
        } else if let elements = node.elements {
            self = .array(elements.map { HarnessJSON($0) })
        } else if let text = node.string {
            self = .string(text)
        } else if let integer = node.integer {
            self = .integer(integer)
        } else if let number = node.number {
            self = .number(number)
        } else if let boolean = node.boolean {
            self = .boolean(boolean)
        } else {
            self = .null
        }
    }

    /// A member of an object: `nil` when there is none. Setting a member of what is no object makes it one; `nil` removes.
    package subscript(_ name: String) -> HarnessJSON? {
        get {
            if case .object(let members) = self { members[name] } else { nil }
        }
        set {
            var members: [String: HarnessJSON] = [:]
            if case .object(let present) = self { members = present }
            self = .null
            members[name] = newValue
            self = .object(members)
        }
    }

    /// A member of a member, and so on.
    package subscript(_ first: String, _ second: String) -> HarnessJSON? {
        get { self[first]?[second] }
        set {
            var inner = self[first] ?? .object([:])
            inner[second] = newValue
            self[first] = inner
        }
    }

    /// A string's text.
    package var string: String? { if case .string(let text) = self { text } else { nil } }
    /// An integer.
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// True or false.
    package var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
    /// An array's elements; empty for anything else.
    package var elements: [HarnessJSON] { if case .array(let elements) = self { elements } else { [] } }
    /// An object's members; empty for anything else.
    package var members: [String: HarnessJSON] { if case .object(let members) = self { members } else { [:] } }
    /// The strings of an array.
    package var strings: [String] { elements.compactMap(\.string) }
    /// Whether this is null.
    package var isNull: Bool { self == .null }
}

extension HarnessJSON: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringInterpolation,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    package init(dictionaryLiteral elements: (String, HarnessJSON)...) {
        self = .object(Dictionary(elements) { $1 })
    }
    package init(arrayLiteral elements: HarnessJSON...) { self = .array(elements) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
}
