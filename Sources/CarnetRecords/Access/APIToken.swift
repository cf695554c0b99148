import Cryptography
import StrictEncoding

/// What a caller shows: `carnet-<identifier>.<secret>`. The identifier is public and finds the record, the secret proves.
package struct APIToken: Sendable {
    /// 16 hexadecimal digits.
    package let id: String
    /// 32 random bytes in base64url.
    private let secret: String

    /// A fresh token.
    package init() {
        id = Hexadecimal.encode(SecureRandom.bytes(8))
        secret = Base64URL.encode(SecureRandom.bytes(32))
    }

    /// Reads a token; `nil` for what cannot be one.
    package init?(_ text: String) {
        guard text.utf8.count <= 128, text.hasPrefix("carnet-") else { return nil }
        let parts = text.dropFirst("carnet-".count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 16, Hexadecimal.decode(parts[0]) != nil,
            Base64URL.decode(parts[1])?.count == 32
        else { return nil }
        id = String(parts[0])
        secret = String(parts[1])
    }

    /// Whether a token may have this name: 1 to 256 visible characters of ASCII without quotation marks. For a relying party it is the
    /// audience of its results, so any such text will do.
    package static func isName(_ name: String) -> Bool {
        (1...256).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
    }

    /// The whole token, shown once.
    package var text: String { "carnet-\(id).\(secret)" }

    /// What is stored: the token cannot be computed from it, since the secret has 256 random bits.
    package var digest: [UInt8] { HashAlgorithm.sha256.hash(Array(text.utf8)) }
}
