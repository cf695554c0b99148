internal import COpenSSL

/// An X.509 certificate (RFC 5280), read and not yet believed.
public final class Certificate: @unchecked Sendable {
    /// The DER bytes, without anything that followed them.
    public let der: [UInt8]
    /// libcrypto's X509, owned. libcrypto caches its extensions at first use, which is done here, before anybody shares it.
    let pointer: OpaquePointer

    /// The longest certificate that is read, in bytes.
    public static let maximumByteCount = 16_384

    /// Reads one certificate.
    ///
    /// - Parameter padded: Whether zeros or ones may follow, as in TPM NV memory of a larger size.
    public init(der bytes: [UInt8], padded: Bool = false) throws(CryptographyError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw CryptographyError(.invalidCertificate, "a certificate of \(bytes.count) bytes is not read")
        }
        let (pointer, consumed) = bytes.withUnsafeBufferPointer { buffer -> (OpaquePointer?, Int) in
            var cursor = buffer.baseAddress
            let certificate = d2i_X509(nil, &cursor, buffer.count)
            return (certificate, buffer.baseAddress.flatMap { start in cursor.map { $0 - start } } ?? 0)
        }
        guard let pointer else { throw .openSSL(.invalidCertificate, "reading a certificate") }
        let rest = bytes[consumed...]
        let isPadding = padded && (rest.allSatisfy { $0 == 0 } || rest.allSatisfy { $0 == 0xFF })
        guard rest.isEmpty || isPadding else {
            X509_free(pointer)
            throw CryptographyError(.invalidCertificate, "\(rest.count) bytes follow the certificate")
        }
        der = Array(bytes.prefix(consumed))
        self.pointer = pointer
        _ = X509_check_purpose(pointer, -1, 0)
        ERR_clear_error()
    }

    /// Takes over one reference to libcrypto's X509.
    init?(sharing pointer: OpaquePointer) {
        var output: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509(pointer, &output)
        defer { CRYPTO_free(output, #fileID, #line) }
        guard count > 0, let output else {
            X509_free(pointer)
            return nil
        }
        der = Array(UnsafeBufferPointer(start: output, count: Int(count)))
        self.pointer = pointer
    }

    deinit { X509_free(pointer) }

    /// SHA-256 over the DER bytes: how a certificate is named.
    public var fingerprint: [UInt8] { HashAlgorithm.sha256.hash(der) }

    /// The subject, in one line of RFC 2253 text.
    public var subject: String { Self.text(of: X509_get_subject_name(pointer)) }
    /// The issuer, in one line of RFC 2253 text.
    public var issuer: String { Self.text(of: X509_get_issuer_name(pointer)) }

    /// The key that is certified.
    ///
    /// A SubjectPublicKeyInfo of type RSAES-OAEP (1.2.840.113549.1.1.7), as some TPM makers write it, is read as the RSA key that it is.
    public func publicKey() throws(CryptographyError) -> PublicKey {
        if let key = X509_get_pubkey(pointer) { return try PublicKey(owning: key) }
        ERR_clear_error()
        var object: OpaquePointer?
        var bytes: UnsafePointer<UInt8>?
        var count: CInt = 0
        guard X509_PUBKEY_get0_param(&object, &bytes, &count, nil, X509_get_X509_PUBKEY(pointer)) == 1,
            OBJ_obj2nid(object) == NID_rsaesOaep, var cursor = bytes,
            let key = withUnsafeMutablePointer(
                to: &cursor,
                { pointer in
                    pointer.withMemoryRebound(to: UnsafePointer<UInt8>?.self, capacity: 1) {
                        d2i_PublicKey(EVP_PKEY_RSA, nil, $0, Int(count))
                    }
                })
        else { throw .openSSL(.invalidKey, "reading the certified key") }
        return try PublicKey(owning: key)
    }

    private static func text(of name: OpaquePointer?) -> String {
        let output = BIO_new(BIO_s_mem())
        defer { BIO_free(output) }
        guard X509_NAME_print_ex(output, name, 0, UInt(CARNET_XN_FLAG_RFC2253)) >= 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = BIO_read(output, &bytes, CInt(bytes.count))
        return String(decoding: bytes.prefix(Int(max(count, 0))), as: UTF8.self)
    }
}
