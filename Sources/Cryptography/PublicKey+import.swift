import COpenSSL

extension PublicKey {
    /// What a key is, or why it is not one that Carnet uses.
    static func kind(of pointer: OpaquePointer) throws(CryptographyError) -> Kind {
        let bits = Int(EVP_PKEY_get_bits(pointer))
        if EVP_PKEY_is_a(pointer, "RSA") == 1 || EVP_PKEY_is_a(pointer, "RSA-PSS") == 1 {
            guard (1024...16384).contains(bits) else {
                throw CryptographyError(.invalidKey, "an RSA modulus of \(bits) bits cannot be used")
            }
            return .rsa(bits: bits)
        }
        guard EVP_PKEY_is_a(pointer, "EC") == 1 else {
            throw CryptographyError(.invalidKey, "the key is neither RSA nor on a NIST curve")
        }
        var name = [CChar](repeating: 0, count: 64)
        var count = 0
        guard EVP_PKEY_get_group_name(pointer, &name, name.count, &count) == 1 else {
            throw CryptographyError(.invalidKey, "the key's curve has no name")
        }
        let text = String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let curve = EllipticCurve(groupName: text) else {
            throw CryptographyError(.invalidKey, "the curve \(text) is not one of P-256, P-384 and P-521")
        }
        return .ellipticCurve(curve)
    }

    /// An EVP_PKEY from an uncompressed point (SEC 1 §2.3.3); libcrypto checks that it is on the curve.
    ///
    /// It begins as a copy of another key of the curve: building the curve's group anew costs several times as much.
    static func importPoint(_ curve: EllipticCurve, _ encoded: [UInt8]) throws(CryptographyError) -> OpaquePointer {
        guard encoded.first == 4, let key = EVP_PKEY_dup(try curve.template()) else {
            throw .openSSL(.invalidKey, "reading a point of \(curve.groupName)")
        }
        guard EVP_PKEY_set1_encoded_public_key(key, encoded, encoded.count) == 1 else {
            EVP_PKEY_free(key)
            throw .openSSL(.invalidKey, "reading a point of \(curve.groupName)")
        }
        return key
    }

    /// An EVP_PKEY from a modulus and an exponent.
    static func importRSA(_ modulus: [UInt8], _ exponent: UInt32) throws(CryptographyError) -> OpaquePointer {
        let builder = OSSL_PARAM_BLD_new()
        defer { OSSL_PARAM_BLD_free(builder) }
        let number = BN_bin2bn(modulus, CInt(clamping: modulus.count), nil)
        defer { BN_free(number) }
        guard OSSL_PARAM_BLD_push_BN(builder, parameterName("n"), number) == 1,
            OSSL_PARAM_BLD_push_uint(builder, parameterName("e"), exponent) == 1,
            let parameters = OSSL_PARAM_BLD_to_param(builder)
        else { throw .openSSL(.operationFailed, "OSSL_PARAM_BLD") }
        defer { OSSL_PARAM_free(parameters) }
        guard let key = importKey("RSA", parameters) else { throw .openSSL(.invalidKey, "reading an RSA key") }
        return key
    }

    private static func importKey(_ type: String, _ parameters: [OSSL_PARAM]) -> OpaquePointer? {
        var parameters = parameters
        return parameters.withUnsafeMutableBufferPointer { importKey(type, $0.baseAddress) }
    }

    private static func importKey(_ type: String, _ parameters: UnsafeMutablePointer<OSSL_PARAM>?) -> OpaquePointer? {
        let context = EVP_PKEY_CTX_new_from_name(nil, type, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_fromdata_init(context) == 1,
            EVP_PKEY_fromdata(context, &key, CARNET_EVP_PKEY_PUBLIC_KEY, parameters) == 1
        else { return nil }
        return key
    }
}

extension [UInt8] {
    /// The same big-endian number in `width` bytes; longer ones are returned as they are.
    func leftPadded(to width: Int) -> [UInt8] {
        count >= width ? self : [UInt8](repeating: 0, count: width - count) + self
    }
}
