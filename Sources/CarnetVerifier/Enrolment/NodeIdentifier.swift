import Cryptography
import StrictEncoding

/// Identifiers of enrolments and machines: random UUIDs (RFC 9562, version 4) in lower case.
enum NodeIdentifier {
    /// A fresh one.
    static func make() -> String {
        var bytes = SecureRandom.bytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { Hexadecimal.encode(bytes[$0]) }.joined(separator: "-")
    }

    /// Whether a text has the form of a UUID, in any case.
    static func isOne(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { Hexadecimal.decode($0) != nil }
    }
}
