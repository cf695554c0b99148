/// JSON in its canonical form (RFC 8785), as far as it is needed here: objects of strings and of such objects.
enum CanonicalJSON {
    /// A string: what has to be escaped is, in the shortest way, and all else stands in UTF-8 (§3.2.2.2).
    static func string(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x08: bytes += Array("\\b".utf8)
            case 0x09: bytes += Array("\\t".utf8)
            case 0x0A: bytes += Array("\\n".utf8)
            case 0x0C: bytes += Array("\\f".utf8)
            case 0x0D: bytes += Array("\\r".utf8)
            case 0..<0x20: bytes += Array("\\u00".utf8) + [digit(byte >> 4), digit(byte & 0x0F)]
            default: bytes.append(byte)
            }
        }
        return bytes + [UInt8(ascii: "\"")]
    }

    /// An object: its members by name, in the order of UTF-16 code units (§3.2.3), without white space.
    ///
    /// - Parameter members: Names, each once, and their values in canonical form.
    static func object(_ members: [(name: String, value: [UInt8])]) -> [UInt8] {
        let sorted = members.sorted { $0.name.utf16.lexicographicallyPrecedes($1.name.utf16) }
        let texts = sorted.map { string($0.name) + [UInt8(ascii: ":")] + $0.value }
        return [UInt8(ascii: "{")] + Array(texts.joined(separator: [UInt8(ascii: ",")])) + [UInt8(ascii: "}")]
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + (value - 10)
    }
}
