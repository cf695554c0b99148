/// A value of JSON as the Kubernetes API has it, whole: what is read and written back has lost no member, whether anybody here knows it.
///
/// Numbers keep the text with which they came. Of members with one name the last counts, and a lone surrogate is U+FFFD, as the API server
/// (Go's `encoding/json`) has it. The strict readers of `StrictEncoding` do not serve here: whoever may annotate one object could put a NUL into
/// a text, and a list with that object would never be read again.
package enum JSONValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    /// The text of a number.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// The text of a value that is nested deeper than is read: kept as it is, and written back so.
    case opaque(String)
    case object([String: JSONValue])

    /// The member of an object; `nil` when there is none. Setting `nil` takes it away, and setting one in what is no object makes an object.
    package subscript(_ name: String) -> JSONValue? {
        get {
            guard case .object(let members) = self else { return nil }
            return members[name]
        }
        set {
            var members = self.members ?? [:]
            members[name] = newValue
            self = .object(members)
        }
    }

    /// The text of a string.
    package var string: String? { if case .string(let text) = self { text } else { nil } }
    /// A number without fraction and exponent.
    package var integer: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
    /// True or false.
    package var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
    /// An array's elements.
    package var elements: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
    /// An object's members.
    package var members: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }

    /// The members of an object that are texts.
    package var strings: [String: String] { members?.compactMapValues(\.string) ?? [:] }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A text.
    package init(stringLiteral value: String) { self = .string(value) }
    /// A number.
    package init(integerLiteral value: Int64) { self = .integer(value) }
    /// True or false.
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
    /// An array.
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object. Of members with one name the last counts.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { $1 })
    }

    /// A number.
    package static func integer(_ value: Int64) -> JSONValue { .number(String(value)) }
}
