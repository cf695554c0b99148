import COpenSSL

/// A public key of Ed25519 (RFC 8032): only for checking signatures. Immutable; many threads may use it at once.
public final class Ed25519PublicKey: @unchecked Sendable, Equatable {
    /// The length of a key, in bytes.
    public static let byteCount = 32
    /// The length of a signature, in bytes.
    public static let signatureByteCount = 64

    /// The encoded point, 32 bytes (RFC 8032 §5.1.2).
    public let rawRepresentation: [UInt8]

    /// libcrypto's EVP_PKEY, owned. Never written after initialisation.
    private let pointer: OpaquePointer

    /// A key given by its encoded point.
    ///
    /// - Throws: ``CryptographyError/Code/invalidKey`` for another length.
    public init(rawRepresentation: [UInt8]) throws(CryptographyError) {
        guard rawRepresentation.count == Self.byteCount else {
            throw CryptographyError(.invalidKey, "a key of Ed25519 has \(Self.byteCount) bytes")
        }
        let key = EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, rawRepresentation, rawRepresentation.count)
        guard let key else { throw .openSSL(.invalidKey, "reading a key of Ed25519") }
        pointer = key
        self.rawRepresentation = rawRepresentation
    }

    deinit { EVP_PKEY_free(pointer) }

    /// Whether `signature`, R ‖ S, is this key's over `message`.
    public func isValidSignature(_ signature: [UInt8], over message: some Collection<UInt8>) -> Bool {
        guard signature.count == Self.signatureByteCount else { return false }
        return message.withContiguousStorageIfAvailable { isValid(signature, UnsafeRawBufferPointer($0)) }
            ?? Array(message).withUnsafeBytes { isValid(signature, $0) }
    }

    private func isValid(_ signature: [UInt8], _ message: UnsafeRawBufferPointer) -> Bool {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        let bytes = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard EVP_DigestVerifyInit_ex(context, nil, nil, nil, nil, pointer, nil) == 1,
            EVP_DigestVerify(context, signature, signature.count, bytes, message.count) == 1
        else {
            ERR_clear_error()
            return false
        }
        return true
    }

    /// Whether the encoded points are equal.
    public static func == (left: Ed25519PublicKey, right: Ed25519PublicKey) -> Bool {
        left.rawRepresentation == right.rawRepresentation
    }
}
