package import CarnetService
package import CarnetStorage
package import Cryptography
import StrictEncoding

/// The key that wraps the verifier's other keys, 256 bits, kept outside the database.
package struct KeyEncryptionKey: Sendable {
    private let key: [UInt8]

    /// A key of 32 bytes.
    private init(_ key: [UInt8]) { self.key = key }

    /// Reads the key from a file with one line of base64url, which nobody but its owner may read.
    ///
    /// - Returns: The key, or `nil` when there is no such file.
    package static func read(_ path: String) throws(ServiceStartError) -> KeyEncryptionKey? {
        guard let text = try PrivateFile.read(path, maximumByteCount: 256) else { return nil }
        guard let key = KeyEncryptionKey(line: text) else {
            throw .unreadable(path, "it does not hold 32 bytes in base64url")
        }
        return key
    }

    /// One line of base64url, 32 bytes; `nil` for anything else.
    package init?(line: [UInt8]) {
        var text = line[...]
        while text.last == UInt8(ascii: "\n") { text.removeLast() }
        guard let key = Base64URL.decode(text), key.count == 32 else { return nil }
        self.init(key)
    }

    /// What the key is called where it may be read: 16 hexadecimal digits from which nobody learns the key.
    package var identifier: String {
        let code = HMAC.authenticationCode(.sha256, key: key, Array("carnet/key-encryption-key/v1".utf8))
        return Hexadecimal.encode(Array(code.prefix(8)))
    }

    /// Makes a key and writes it to a file that must not exist.
    package static func create(_ path: String) throws(ServiceStartError) -> KeyEncryptionKey {
        let key = SecureRandom.bytes(32)
        try PrivateFile.create(path, Array((Base64URL.encode(key) + "\n").utf8))
        return KeyEncryptionKey(key)
    }

    /// Wraps a key with AES-256-GCM under a fresh nonce. `context` says what the key is for and is bound to it.
    package func wrap(_ secret: [UInt8], context: String) throws(CryptographyError) -> WrappedKey {
        let nonce = SecureRandom.bytes(12)
        let (ciphertext, tag) = try AESGCM.seal(secret, key: key, nonce: nonce, authenticating: Self.bound(context))
        return WrappedKey(nonce: nonce, bytes: ciphertext + tag)
    }

    /// Unwraps a key.
    ///
    /// - Throws: ``CryptographyError/Code/authenticationFailed`` when another key wrapped it, or for another context.
    package func unwrap(_ wrapped: WrappedKey, context: String) throws(CryptographyError) -> [UInt8] {
        guard wrapped.bytes.count >= 16 else {
            throw CryptographyError(.authenticationFailed, "a wrapped key of \(wrapped.bytes.count) bytes")
        }
        return try AESGCM.open(
            Array(wrapped.bytes.dropLast(16)), tag: Array(wrapped.bytes.suffix(16)), key: key, nonce: wrapped.nonce,
            authenticating: Self.bound(context))
    }

    /// Checks, in the transaction that writes a wrapped key, that no other key-encryption key has taken this one's place meanwhile.
    ///
    /// - Parameter program: Whose `rewrap` the message names, as `carnet-verifier`; `nil` where only the service itself is asked.
    package func requireInForce(in connection: any SQLConnection, of program: String? = nil) throws {
        let row = try connection.row("SELECT key_id FROM key_encryption WHERE id = 0")
        guard let inForce = try row?.text("key_id") else { return }
        guard inForce == identifier else {
            throw ServiceStartError.unreadable("the keys in the database", Self.mismatch(inForce, identifier, program))
        }
    }

    /// The sentence for a key that is not the one.
    package static func mismatch(_ expected: String, _ found: String, _ program: String?) -> String {
        "the key-encryption key \(expected) wraps them, and \(found) was given. Give that one, or carry the keys over with "
            + "`\(program.map { $0 + " " } ?? "")rewrap`; without it they are lost"
    }

    private static func bound(_ context: String) -> [UInt8] { Array("carnet/key/v1\u{0}\(context)".utf8) }
}

/// A key as the database keeps it.
package struct WrappedKey: Sendable, Hashable {
    /// The nonce, 12 bytes.
    package let nonce: [UInt8]
    /// The ciphertext with its tag of 16 bytes.
    package let bytes: [UInt8]

    /// A wrapped key.
    package init(nonce: [UInt8], bytes: [UInt8]) {
        self.nonce = nonce
        self.bytes = bytes
    }
}
