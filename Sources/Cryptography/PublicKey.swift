import COpenSSL

/// A public key of RSA or of a NIST curve: what a signature is checked against.
///
/// Making one checks that the point lies on its curve or that the modulus has a sensible size; afterwards it is immutable
/// and may be used by many threads at once.
public final class PublicKey: @unchecked Sendable, Equatable {
    /// The family and size of a key.
    public enum Kind: Sendable, Hashable {
        case ellipticCurve(EllipticCurve)
        /// RSA with a modulus of so many bits.
        case rsa(bits: Int)
    }

    /// The family and size.
    public let kind: Kind

    /// libcrypto's EVP_PKEY, owned. Never written after initialisation.
    let pointer: OpaquePointer

    /// A context that is ready to check the next ECDSA signature.
    let idle = IdleVerification()

    /// Takes ownership of an EVP_PKEY.
    init(owning pointer: OpaquePointer) throws(CryptographyError) {
        do throws(CryptographyError) {
            kind = try Self.kind(of: pointer)
        } catch {
            EVP_PKEY_free(pointer)
            throw error
        }
        self.pointer = pointer
    }

    deinit { EVP_PKEY_free(pointer) }

    /// A point given by its big-endian coordinates; shorter ones are padded on the left.
    ///
    /// - Throws: ``CryptographyError/Code/invalidKey`` when a coordinate is too long or the point is not on the curve.
    public convenience init(_ curve: EllipticCurve, x: [UInt8], y: [UInt8]) throws(CryptographyError) {
        let width = curve.coordinateByteCount
        guard x.count <= width, y.count <= width else {
            throw CryptographyError(.invalidKey, "a coordinate of \(curve.groupName) has at most \(width) bytes")
        }
        let point = [4] + x.leftPadded(to: width) + y.leftPadded(to: width)
        try self.init(owning: Self.importPoint(curve, point))
    }

    /// An RSA key given by its big-endian modulus.
    ///
    /// - Throws: ``CryptographyError/Code/invalidKey`` below 1024 or above 16384 bits, or for an even exponent or one below 3.
    ///   Whether the size is enough is the caller's rule.
    public convenience init(rsaModulus: [UInt8], publicExponent: UInt32) throws(CryptographyError) {
        guard publicExponent >= 3, publicExponent % 2 == 1 else {
            throw CryptographyError(.invalidKey, "an RSA public exponent of \(publicExponent) cannot be used")
        }
        let significant = rsaModulus.drop { $0 == 0 }
        guard (128...2048).contains(significant.count), let last = significant.last, last % 2 == 1 else {
            throw CryptographyError(.invalidKey, "an RSA modulus of \(significant.count) bytes cannot be used")
        }
        try self.init(owning: Self.importRSA(Array(significant), publicExponent))
    }

    /// A DER SubjectPublicKeyInfo (RFC 5280 §4.1), with nothing after it.
    public convenience init(subjectPublicKeyInfo der: [UInt8]) throws(CryptographyError) {
        let (pointer, consumed) = der.withUnsafeBufferPointer { buffer -> (OpaquePointer?, Int) in
            var cursor = buffer.baseAddress
            let key = d2i_PUBKEY(nil, &cursor, buffer.count)
            return (key, buffer.baseAddress.flatMap { start in cursor.map { $0 - start } } ?? 0)
        }
        guard let pointer else { throw .openSSL(.invalidKey, "d2i_PUBKEY") }
        guard consumed == der.count else {
            EVP_PKEY_free(pointer)
            throw CryptographyError(.invalidKey, "\(der.count - consumed) bytes follow the SubjectPublicKeyInfo")
        }
        try self.init(owning: pointer)
    }

    /// The key as DER SubjectPublicKeyInfo (RFC 5280 §4.1).
    public var subjectPublicKeyInfo: [UInt8] {
        get throws(CryptographyError) {
            var output: UnsafeMutablePointer<UInt8>?
            let count = i2d_PUBKEY(pointer, &output)
            defer { CRYPTO_free(output, #fileID, #line) }
            guard count > 0, let output else { throw .openSSL(.operationFailed, "i2d_PUBKEY") }
            return Array(UnsafeBufferPointer(start: output, count: Int(count)))
        }
    }

    /// The coordinates of the point, big-endian and of full width; `nil` for RSA.
    public var point: (x: [UInt8], y: [UInt8])? {
        guard case .ellipticCurve(let curve) = kind else { return nil }
        let width = curve.coordinateByteCount
        var encoded = [UInt8](repeating: 0, count: 2 * width + 1)
        var count = 0
        let code = EVP_PKEY_get_octet_string_param(
            pointer, parameterName("encoded-pub-key"), &encoded, encoded.count, &count)
        guard code == 1, count == encoded.count, encoded[0] == 4 else { return nil }
        return (Array(encoded[1...width]), Array(encoded[(width + 1)...]))
    }

    /// The modulus, big-endian without leading zeros; `nil` for a curve.
    public var rsaModulus: [UInt8]? {
        guard case .rsa = kind else { return nil }
        var number: OpaquePointer?
        guard EVP_PKEY_get_bn_param(pointer, parameterName("n"), &number) == 1 else { return nil }
        defer { BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: (Int(BN_num_bits(number)) + 7) / 8)
        _ = BN_bn2bin(number, &bytes)
        return bytes
    }

    /// Whether two keys are the same key, compared by libcrypto.
    public static func == (left: PublicKey, right: PublicKey) -> Bool { EVP_PKEY_eq(left.pointer, right.pointer) == 1 }
}
