import CJansson
import Foundation

/// A value inside a ``JSONDocument``, which it keeps alive. Reading one as what it is not gives `nil`.
public struct JSONNode: @unchecked Sendable {
    private let document: JSONDocument
    private let pointer: UnsafeMutablePointer<json_t>

    init(document: JSONDocument, pointer: UnsafeMutablePointer<json_t>) {
        self.document = document
        self.pointer = pointer
    }

    /// The value of an object's member; `nil` when there is none, or when this is not an object.
    public subscript(_ member: String) -> JSONNode? {
        var member = member
        return member.withUTF8 { name in
            name.withMemoryRebound(to: CChar.self) { json_object_getn(pointer, $0.baseAddress, $0.count) }
        }.map(inside)
    }

    /// An object's members in the order of the text.
    public var members: [(name: String, value: JSONNode)]? {
        guard isObject else { return nil }
        var members: [(name: String, value: JSONNode)] = []
        members.reserveCapacity(json_object_size(pointer))
        var iterator = json_object_iter(pointer)
        while let current = iterator {
            if let name = json_object_iter_key(current), let value = json_object_iter_value(current) {
                members.append((String(cString: name), inside(value)))
            }
            iterator = json_object_iter_next(pointer, current)
        }
        return members
    }

    /// An array's elements.
    public var elements: [JSONNode]? {
        guard isArray else { return nil }
        return (0..<json_array_size(pointer)).compactMap { json_array_get(pointer, $0).map(inside) }
    }

    /// The value as JSON in compact form, the members of objects in the order of the text.
    public var text: [UInt8] {
        // JSON_COMPACT and JSON_ENCODE_ANY are macros with casts: bits 5 and 9.
        guard let text = json_dumps(pointer, 0x20 | 0x200) else { return [] }
        defer { free(text) }
        return Array(UnsafeBufferPointer(start: text, count: strlen(text))).map { UInt8(bitPattern: $0) }
    }

    /// How many members an object or elements an array has; 0 for anything else.
    public var count: Int { isArray ? json_array_size(pointer) : json_object_size(pointer) }

    /// The text of a string.
    public var string: String? {
        guard type == JSON_STRING, let text = json_string_value(pointer) else { return nil }
        let bytes = UnsafeBufferPointer(start: text, count: json_string_length(pointer))
        return bytes.withMemoryRebound(to: UInt8.self) { String(decoding: $0, as: UTF8.self) }
    }

    /// Calls `body` with a string's UTF-8 bytes, without copying them; `nil` for anything but a string.
    public func withStringBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        guard type == JSON_STRING, let text = json_string_value(pointer) else { return nil }
        return body(UnsafeRawBufferPointer(start: text, count: json_string_length(pointer)))
    }

    /// Whether this is a string of exactly these bytes.
    ///
    /// Two Swift strings are also equal when they are different spellings of the same characters; names of parties and keys
    /// are compared as RFC 7519 §7.3 says, code point by code point.
    public func isString(equalTo text: String) -> Bool {
        guard type == JSON_STRING, let found = json_string_value(pointer) else { return false }
        let bytes = UnsafeRawBufferPointer(start: found, count: json_string_length(pointer))
        guard bytes.count == text.utf8.count else { return false }
        return text.utf8.withContiguousStorageIfAvailable { $0.elementsEqual(bytes) } ?? bytes.elementsEqual(text.utf8)
    }

    /// A number written without fraction and exponent; `nil` for 1.0 and 1e3.
    public var integer: Int64? { type == JSON_INTEGER ? Int64(json_integer_value(pointer)) : nil }

    /// Any number.
    public var number: Double? {
        type == JSON_INTEGER || type == JSON_REAL ? json_number_value(pointer) : nil
    }

    /// True or false.
    public var boolean: Bool? {
        switch type {
        case JSON_TRUE: true
        case JSON_FALSE: false
        default: nil
        }
    }

    /// Whether this is null.
    public var isNull: Bool { type == JSON_NULL }
    /// Whether this is an object.
    public var isObject: Bool { type == JSON_OBJECT }
    /// Whether this is an array.
    public var isArray: Bool { type == JSON_ARRAY }
    /// Whether this is a string.
    public var isString: Bool { type == JSON_STRING }
    /// What this is, in a word for an error message: object, array, string, integer, number, boolean or null.
    public var kind: String {
        switch type {
        case JSON_OBJECT: "object"
        case JSON_ARRAY: "array"
        case JSON_STRING: "string"
        case JSON_INTEGER: "integer"
        case JSON_REAL: "number"
        case JSON_TRUE, JSON_FALSE: "boolean"
        default: "null"
        }
    }

    private var type: json_type { pointer.pointee.type }

    private func inside(_ pointer: UnsafeMutablePointer<json_t>) -> JSONNode {
        JSONNode(document: document, pointer: pointer)
    }
}
