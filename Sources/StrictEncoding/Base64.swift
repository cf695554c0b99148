/// base64 with padding (RFC 4648 §4), as key-broker clients write it.
///
/// Reading accepts one spelling of each byte string: whole groups of four, the padding that belongs there, no white space, no other
/// alphabet, and zero in the bits of the last character that carry nothing.
public enum Base64 {
    /// The text of `bytes`.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        let text = Base64URL.encode(bytes).map { character -> Character in
            switch character {
            case "-": "+"
            case "_": "/"
            default: character
            }
        }
        return String(text) + String(repeating: "=", count: (4 - text.count % 4) % 4)
    }

    /// The bytes that `text` spells, or `nil` when it is not the one spelling of any bytes.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var ascii = Array(text.utf8)
        guard ascii.count.isMultiple(of: 4) else { return nil }
        var padding = 0
        while padding < 2, ascii.last == UInt8(ascii: "=") {
            ascii.removeLast()
            padding += 1
        }
        for index in ascii.indices {
            switch ascii[index] {
            case UInt8(ascii: "+"): ascii[index] = UInt8(ascii: "-")
            case UInt8(ascii: "/"): ascii[index] = UInt8(ascii: "_")
            case UInt8(ascii: "-"), UInt8(ascii: "_"): return nil
            default: break
            }
        }
        return Base64URL.decode(ascii[...])
    }
}
