import Cryptography
import StrictEncoding

/// Identifiers that tie an answer to its log line.
enum RequestIdentifier {
    /// A fresh one: 16 hexadecimal digits.
    static func make() -> String { Hexadecimal.encode(SecureRandom.bytes(8)) }
}
