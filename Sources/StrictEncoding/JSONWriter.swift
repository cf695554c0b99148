/// Writes compact JSON with members in the order in which they are given, so that equal values give equal bytes.
public struct JSONWriter {
    /// What was written so far, in UTF-8.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// An empty text.
    public init(reserving byteCount: Int = 512) { bytes.reserveCapacity(byteCount) }

    /// One JSON object as bytes.
    public static func object(_ body: (inout JSONWriter) throws -> Void) rethrows -> [UInt8] {
        var writer = JSONWriter()
        try writer.object(body)
        return writer.bytes
    }

    /// Writes an object as the top level or as an array's element; `body` adds its members.
    public mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        separate()
        try enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes a member that is an object.
    public mutating func object(_ name: StaticString, _ body: (inout JSONWriter) throws -> Void) rethrows {
        key(name)
        try enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes a member that is an object, its name computed.
    public mutating func object(named name: String, _ body: (inout JSONWriter) throws -> Void) rethrows {
        key(named: name)
        try enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes a member that is an array; `body` adds its elements.
    public mutating func array(_ name: StaticString, _ body: (inout JSONWriter) throws -> Void) rethrows {
        key(name)
        try enclosed(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    /// Writes a member that is a string.
    public mutating func string(_ name: StaticString, _ value: String) {
        key(name)
        quote(value)
    }

    /// Writes a member that is a string, its name computed.
    public mutating func string(named name: String, _ value: String) {
        key(named: name)
        quote(value)
    }

    /// Writes a member that is the base64url text of bytes.
    public mutating func base64URL(_ name: StaticString, _ value: [UInt8]) {
        key(name)
        bytes.append(UInt8(ascii: "\""))
        Base64URL.append(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes a member that is an integer.
    public mutating func integer(_ name: StaticString, _ value: Int64) {
        key(name)
        append(value)
    }

    /// Writes a member that is an integer, its name computed.
    public mutating func integer(named name: String, _ value: Int64) {
        key(named: name)
        append(value)
    }

    /// Writes a member that is true or false.
    public mutating func boolean(_ name: StaticString, _ value: Bool) {
        key(name)
        bytes += (value ? "true" : "false").utf8
    }

    /// Writes a member whose value is JSON text already, which is not checked.
    public mutating func json(_ name: StaticString, _ text: [UInt8]) {
        key(name)
        bytes += text
    }

    /// The same, under a name that is not known beforehand.
    public mutating func json(named name: String, _ text: [UInt8]) {
        key(named: name)
        bytes += text
    }

    /// Writes a string as an array's element.
    public mutating func element(_ value: String) {
        separate()
        quote(value)
    }

    /// Writes an integer as an array's element.
    public mutating func element(_ value: Int64) {
        separate()
        append(value)
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func key(named name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func enclosed(
        _ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) throws -> Void
    ) rethrows {
        bytes.append(open)
        needsComma = false
        try body(&self)
        needsComma = true
        bytes.append(close)
    }

    private mutating func append(_ value: Int64) { bytes += String(value).utf8 }

    /// Writes a string as RFC 8259 §7 asks: quotation mark, reverse solidus and control characters escaped.
    private mutating func quote(_ value: String) {
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { text in
            if text.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
                bytes += text
                return
            }
            for character in text {
                switch character {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), character]
                case 0..<0x20: bytes += "\\u00".utf8 + Array(Hexadecimal.encode([character]).utf8)
                default: bytes.append(character)
                }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
