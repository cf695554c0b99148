import COpenSSL

/// A private key on a NIST curve, held in this process's memory.
///
/// Verifiers sign tokens with one; an attester whose keys live in a TPM never needs it.
public final class PrivateKey: @unchecked Sendable {
    /// The curve.
    public let curve: EllipticCurve
    /// The public half.
    public let publicKey: PublicKey

    /// libcrypto's EVP_PKEY, owned. Never written after initialisation.
    package let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) throws(CryptographyError) {
        do throws(CryptographyError) {
            guard case .ellipticCurve(let curve) = try PublicKey.kind(of: pointer) else {
                throw CryptographyError(.invalidKey, "the private key is not on a NIST curve")
            }
            self.curve = curve
            publicKey = try Self.publicHalf(of: pointer)
        } catch {
            EVP_PKEY_free(pointer)
            throw error
        }
        self.pointer = pointer
    }

    deinit { EVP_PKEY_free(pointer) }

    /// A fresh key.
    public static func generate(_ curve: EllipticCurve = .p256) throws(CryptographyError) -> PrivateKey {
        let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
        defer { EVP_PKEY_CTX_free(context) }
        var parameters = [
            OSSL_PARAM_construct_utf8_string(
                parameterName("group"), UnsafeMutablePointer(mutating: parameterName(curve.groupName)), 0),
            OSSL_PARAM_construct_end(),
        ]
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_params(context, &parameters) == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw .openSSL(.operationFailed, "generating a key on \(curve.groupName)") }
        return try PrivateKey(owning: key)
    }

    /// A key from unencrypted DER PKCS #8 (RFC 5208), with nothing after it.
    public convenience init(pkcs8 der: [UInt8]) throws(CryptographyError) {
        let (pointer, consumed) = der.withUnsafeBufferPointer { buffer -> (OpaquePointer?, Int) in
            var cursor = buffer.baseAddress
            let key = d2i_AutoPrivateKey(nil, &cursor, buffer.count)
            return (key, buffer.baseAddress.flatMap { start in cursor.map { $0 - start } } ?? 0)
        }
        guard let pointer else { throw .openSSL(.invalidKey, "d2i_AutoPrivateKey") }
        guard consumed == der.count else {
            EVP_PKEY_free(pointer)
            throw CryptographyError(.invalidKey, "\(der.count - consumed) bytes follow the private key")
        }
        try self.init(owning: pointer)
    }

    /// The key as unencrypted DER PKCS #8 (RFC 5208). Whoever holds these bytes holds the key.
    public var pkcs8: [UInt8] {
        get throws(CryptographyError) {
            let info = EVP_PKEY2PKCS8(pointer)
            defer { PKCS8_PRIV_KEY_INFO_free(info) }
            var output: UnsafeMutablePointer<UInt8>?
            let count = i2d_PKCS8_PRIV_KEY_INFO(info, &output)
            guard count > 0, let output else { throw .openSSL(.operationFailed, "i2d_PKCS8_PRIV_KEY_INFO") }
            defer { CRYPTO_clear_free(output, Int(count), #fileID, #line) }
            return Array(UnsafeBufferPointer(start: output, count: Int(count)))
        }
    }

    private static func publicHalf(of pointer: OpaquePointer) throws(CryptographyError) -> PublicKey {
        var output: UnsafeMutablePointer<UInt8>?
        let count = i2d_PUBKEY(pointer, &output)
        defer { CRYPTO_free(output, #fileID, #line) }
        guard count > 0, let output else { throw .openSSL(.operationFailed, "i2d_PUBKEY") }
        return try PublicKey(subjectPublicKeyInfo: Array(UnsafeBufferPointer(start: output, count: Int(count))))
    }
}
