extension JSONValue {
    /// Why bytes are no JSON that is read here.
    package struct Unreadable: Error, Hashable, CustomStringConvertible {
        package let description: String
        /// Where in the text, in bytes.
        package let byteOffset: Int
    }

    /// The deepest nesting of arrays and objects that is read. What is deeper stays opaque: one object of one node must not make a whole list
    /// unreadable.
    package static let maximumDepth = 64

    /// Reads one value that fills `bytes`, spaces around it aside. UTF-8 that is none is repaired, as the API server does.
    ///
    /// - Parameter maximumValueCount: How many values there may be: each takes some hundred bytes of memory.
    /// - Throws: ``Unreadable`` for anything that RFC 8259 does not allow, as far down as ``maximumDepth``, and for more values.
    package init(parsing bytes: [UInt8], maximumValueCount: Int = 4_000_000) throws(Unreadable) {
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<JSONValue, Unreadable> in
            var parser = JSONParser(bytes: buffer, valuesLeft: maximumValueCount)
            do throws(Unreadable) { return .success(try parser.document()) } catch { return .failure(error) }
        }
        self = try result.get()
    }
}

/// Reads JSON (RFC 8259) from the first byte to the last.
private struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    var valuesLeft: Int
    var index = 0

    typealias Unreadable = JSONValue.Unreadable

    init(bytes: UnsafeBufferPointer<UInt8>, valuesLeft: Int) {
        self.bytes = bytes
        self.valuesLeft = valuesLeft
    }

    mutating func document() throws(Unreadable) -> JSONValue {
        skipSpaces()
        let value = try value(depth: 0)
        skipSpaces()
        guard index == bytes.count else { throw fault("bytes after the value") }
        return value
    }

    private func fault(_ reason: String) -> Unreadable {
        Unreadable(description: "\(reason) (at byte \(index))", byteOffset: index)
    }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpaces() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        index += 1
        return true
    }

    private mutating func value(depth: Int) throws(Unreadable) -> JSONValue {
        guard valuesLeft > 0 else { throw fault("more values than are read") }
        valuesLeft -= 1
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw fault("the text ends where a value is needed")
        default: return .number(try number())
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(Unreadable) -> JSONValue {
        let isThere = text.withUTF8Buffer { word in
            bytes.count - index >= word.count && bytes[index..<(index + word.count)].elementsEqual(word)
        }
        guard isThere else { throw fault("no value of JSON") }
        index += text.utf8CodeUnitCount
        return value
    }

    private mutating func object(depth: Int) throws(Unreadable) -> JSONValue {
        guard depth <= JSONValue.maximumDepth else { return .opaque(try skipped()) }
        index += 1
        var members: [String: JSONValue] = [:]
        skipSpaces()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpaces()
            guard current == UInt8(ascii: "\"") else { throw fault("no name of a member") }
            let name = try string()
            skipSpaces()
            guard take(UInt8(ascii: ":")) else { throw fault("no colon after a member's name") }
            skipSpaces()
            members[name] = try value(depth: depth)
            skipSpaces()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw fault("no comma after a member") }
        }
    }

    private mutating func array(depth: Int) throws(Unreadable) -> JSONValue {
        guard depth <= JSONValue.maximumDepth else { return .opaque(try skipped()) }
        index += 1
        var elements: [JSONValue] = []
        skipSpaces()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            skipSpaces()
            elements.append(try value(depth: depth))
            skipSpaces()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw fault("no comma after an element") }
        }
    }

    /// The text of an array or an object, of which only the ends of texts and brackets are looked at.
    private mutating func skipped() throws(Unreadable) -> String {
        let start = index
        var open = 0
        while let byte = current {
            index += 1
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["): open += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                open -= 1
                if open == 0 { return String(decoding: bytes[start..<index], as: UTF8.self) }
            case UInt8(ascii: "\""):
                while let inner = current, inner != UInt8(ascii: "\"") { index += inner == UInt8(ascii: "\\") ? 2 : 1 }
                index += 1
            default: break
            }
        }
        throw fault("an array or an object without an end")
    }

    private mutating func number() throws(Unreadable) -> String {
        let start = index
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func digits() throws(Unreadable) {
        let start = index
        while let byte = current, (0x30...0x39).contains(byte) { index += 1 }
        guard index > start else { throw fault("no value of JSON") }
    }

    private mutating func string() throws(Unreadable) -> String {
        index += 1
        let start = index
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
        if take(UInt8(ascii: "\"")) { return String(decoding: bytes[start..<(index - 1)], as: UTF8.self) }
        var text = Array(bytes[start..<index])
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                index += 1
                try escape(into: &text)
            case 0..<0x20: throw fault("a control character in a text")
            default:
                text.append(byte)
                index += 1
            }
        }
        throw fault("a text without an end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Unreadable) {
        guard let byte = current else { throw fault("a text without an end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = UInt32(try codeUnit())
            if (0xD800..<0xDC00).contains(scalar) {
                let low = try followingLowSurrogate()
                scalar = low.map { 0x10000 + (scalar - 0xD800) << 10 + (UInt32($0) - 0xDC00) } ?? 0xFFFD
            }
            text += Array(String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
        default: throw fault("an escape that there is not")
        }
    }

    /// The second half of a pair, if the text goes on with one; nothing else is taken.
    private mutating func followingLowSurrogate() throws(Unreadable) -> UInt16? {
        guard index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        let start = index
        index += 2
        let unit = try codeUnit()
        if (0xDC00..<0xE000).contains(unit) { return unit }
        index = start
        return nil
    }

    private mutating func codeUnit() throws(Unreadable) -> UInt16 {
        guard bytes.count - index >= 4 else { throw fault("a text without an end") }
        var unit: UInt16 = 0
        for byte in bytes[index..<(index + 4)] {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: throw fault("no hexadecimal digit in an escape")
            }
            unit = unit << 4 | UInt16(digit)
        }
        index += 4
        return unit
    }
}
