package import Cryptography
import Foundation
import StrictEncoding

/// A private key in a file that only its owner may read: PEM (PKCS #8).
package enum PrivateKeyFile {
    private static let label = "PRIVATE KEY"

    /// - Throws: `Failure` when it holds no such key, or others can read it.
    package static func read(_ path: String) throws(Failure) -> PrivateKey {
        let text = String(decoding: try Input.secret(path, maximum: 16_384), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        guard let start = lines.firstIndex(of: "-----BEGIN \(label)-----"),
            let end = lines.firstIndex(of: "-----END \(label)-----"), start < end,
            let der = Data(base64Encoded: lines[(start + 1)..<end].joined()),
            let key = try? PrivateKey(pkcs8: [UInt8](der))
        else { throw Failure(.unreadable, "\(path) is no private key in PEM, as `openssl genpkey` writes it.") }
        return key
    }

    /// The key on P-256 in a file. Where there is no file, a key is made, and the file, mode 0600; what is there is never replaced.
    ///
    /// - Throws: `Failure` when the file holds no such key, others can read it, or it cannot be written.
    package static func readOrMake(_ path: String) throws(Failure) -> (key: PrivateKey, isNew: Bool) {
        guard !FileManager.default.fileExists(atPath: path) else {
            let key = try read(path)
            guard key.curve == .p256 else {
                throw Failure(
                    .unreadable, "\(path) holds a key on another curve than P-256. Name a file that is not there.")
            }
            return (key, false)
        }
        let key: PrivateKey, pkcs8: [UInt8]
        do throws(CryptographyError) {
            key = try PrivateKey.generate(.p256)
            pkcs8 = try key.pkcs8
        } catch { throw Failure(.unreachable, "A key cannot be made: \(error).") }
        try Output.newSecret(
            Array(PEM.Block(label: label, content: pkcs8).text.utf8), to: path,
            nextStep: "It is not replaced: name another file.")
        return (key, true)
    }
}
