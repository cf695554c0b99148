import COpenSSL

extension PublicKey {
    /// Whether (r, s) is this key's signature over `message`.
    ///
    /// r and s are big-endian and at most as long as a coordinate; zero, and values of n or more, are refused.
    public func isValidECDSASignature(r: [UInt8], s: [UInt8], over message: [UInt8], _ hash: HashAlgorithm) -> Bool {
        guard case .ellipticCurve(let curve) = kind, hash != .insecureSHA1 else { return false }
        let width = curve.coordinateByteCount
        guard r.count <= width, s.count <= width else { return false }
        return isValidECDSA(ECDSASignature.der(r: r, s: s), over: message, hash)
    }

    /// Whether `fixedWidth`, r ‖ s of one coordinate's length each (RFC 7518 §3.4), is this key's signature.
    public func isValidECDSASignature(
        fixedWidth: [UInt8], over message: some Collection<UInt8>, _ hash: HashAlgorithm
    ) -> Bool {
        guard case .ellipticCurve(let curve) = kind, hash != .insecureSHA1 else { return false }
        let width = curve.coordinateByteCount
        guard fixedWidth.count == 2 * width else { return false }
        return isValidECDSA(ECDSASignature.der(r: fixedWidth[..<width], s: fixedWidth[width...]), over: message, hash)
    }

    /// Whether `signature` is this RSA key's, over `message`. Its length must be that of the modulus.
    public func isValidRSASignature(
        _ signature: [UInt8], _ padding: RSAPadding, over message: [UInt8], _ hash: HashAlgorithm
    ) -> Bool {
        guard case .rsa(let bits) = kind, hash != .insecureSHA1, signature.count == (bits + 7) / 8 else { return false }
        return isValidRSA(signature, ofDigest: hash.hash(message), hash, padding)
    }

    private func isValidECDSA(
        _ signature: [UInt8], over message: some Collection<UInt8>, _ hash: HashAlgorithm
    ) -> Bool {
        let digest =
            message.withContiguousStorageIfAvailable { hash.hash(UnsafeRawBufferPointer($0)) }
            ?? hash.hash(Array(message))
        return isValidECDSA(signature, ofDigest: digest, hash)
    }

    /// Checks a DER signature over a digest of the hash's length.
    func isValidECDSA(_ signature: [UInt8], ofDigest digest: [UInt8], _ hash: HashAlgorithm) -> Bool {
        guard let context = idle.take(hash, for: pointer) else {
            ERR_clear_error()
            return false
        }
        guard EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1 else {
            EVP_PKEY_CTX_free(context)
            ERR_clear_error()
            return false
        }
        idle.keep(context, hash)
        return true
    }

    /// Checks a signature over a digest of the hash's length.
    func isValidRSA(
        _ signature: [UInt8], ofDigest digest: [UInt8], _ hash: HashAlgorithm, _ padding: RSAPadding
    ) -> Bool {
        let code =
            switch padding {
            case .pkcs1v15: RSA_PKCS1_PADDING
            case .pss: RSA_PKCS1_PSS_PADDING
            }
        guard let context = idle.take(hash, for: pointer) else {
            ERR_clear_error()
            return false
        }
        // The padding is set each time: the context may have served the other one.
        guard EVP_PKEY_CTX_set_rsa_padding(context, code) == 1,
            EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1
        else {
            EVP_PKEY_CTX_free(context)
            ERR_clear_error()
            return false
        }
        idle.keep(context, hash)
        return true
    }
}
