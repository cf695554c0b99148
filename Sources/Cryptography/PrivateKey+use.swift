import COpenSSL

extension PrivateKey {
    /// The signature over `message`: r ‖ s, each as long as a coordinate (RFC 7518 §3.4).
    public func ecdsaSignature(
        over message: [UInt8], _ hash: HashAlgorithm
    ) throws(CryptographyError) -> [UInt8] {
        try ecdsaSignature(ofDigest: hash.hash(message))
    }

    /// The signature over a digest that was computed elsewhere, as TPM2_Sign takes it: r ‖ s.
    public func ecdsaSignature(ofDigest digest: [UInt8]) throws(CryptographyError) -> [UInt8] {
        let context = EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var count = 160
        var failed = false
        let der = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
            failed =
                EVP_PKEY_sign_init(context) != 1
                || EVP_PKEY_sign(context, output.baseAddress, &count, digest, digest.count) != 1
            initialized = failed ? 0 : count
        }
        guard !failed, let fixed = ECDSASignature.fixedWidth(der: der, width: curve.coordinateByteCount) else {
            throw .openSSL(.operationFailed, "EVP_PKEY_sign")
        }
        return fixed
    }

    /// The shared secret of ECDH: the x coordinate, big-endian and of full width (SP 800-56A §5.7.1.2).
    ///
    /// - Throws: ``CryptographyError/Code/invalidKey`` when `peer` is on another curve.
    public func sharedSecret(with peer: PublicKey) throws(CryptographyError) -> [UInt8] {
        guard peer.kind == .ellipticCurve(curve) else {
            throw CryptographyError(.invalidKey, "the peer's key is not on \(curve.groupName)")
        }
        let context = EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var count = curve.coordinateByteCount
        var failed = false
        let secret = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
            failed =
                EVP_PKEY_derive_init(context) != 1 || EVP_PKEY_derive_set_peer(context, peer.pointer) != 1
                || EVP_PKEY_derive(context, output.baseAddress, &count) != 1
            initialized = failed ? 0 : count
        }
        guard !failed, secret.count == curve.coordinateByteCount else {
            throw .openSSL(.operationFailed, "EVP_PKEY_derive")
        }
        return secret
    }
}
