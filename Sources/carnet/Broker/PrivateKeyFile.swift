import CarnetCommandLine
import Cryptography
import Foundation

/// An operator's private key in a file: PEM (PKCS #8).
enum PrivateKeyFile {
    /// - Throws: `Failure` when it holds no such key.
    static func read(_ path: String) throws -> PrivateKey {
        let text = String(decoding: try Input.secret(path, maximum: 16_384), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        let label = "PRIVATE KEY-----"
        guard let start = lines.firstIndex(of: "-----BEGIN " + label),
            let end = lines.firstIndex(of: "-----END " + label), start < end,
            let der = Data(base64Encoded: lines[(start + 1)..<end].joined()),
            let key = try? PrivateKey(pkcs8: [UInt8](der))
        else { throw Failure(.unreadable, "\(path) is no private key in PEM, as `openssl genpkey` writes it.") }
        return key
    }
}
