import Cryptography
import StrictEncoding

/// Identifiers that tie an answer to its log line.
enum RequestIdentifier {
    /// A fresh one: 16 hexadecimal digits.
    static func make() -> String { Hexadecimal.encode(SecureRandom.bytes(8)) }

    /// The identifier that the caller gave its request, for the log only: it is the caller's word, and two requests may have the same.
    ///
    /// - Returns: `nil` for none, and for one that is longer than 64 characters or has others than letters, digits, dots, dashes and
    ///   underscores.
    static func read(_ value: String?) -> String? {
        guard let value, (1...64).contains(value.utf8.count), value.utf8.allSatisfy(isAllowed) else { return nil }
        return value
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
