extension PublicKey {
    /// Whether `signature` is this key's over a digest that was computed elsewhere.
    ///
    /// RSA signatures are PKCS #1 v1.5 and as long as the modulus; ECDSA signatures are DER (RFC 3279 §2.2.3). SHA-1, and digests
    /// that are not as long as the hash makes them, are refused. Whoever calls must know that the digest is a hash of something:
    /// a signature over a number proves nothing about a file.
    public func isValidSignature(_ signature: [UInt8], ofDigest digest: [UInt8], _ hash: HashAlgorithm) -> Bool {
        guard hash != .insecureSHA1, digest.count == hash.byteCount else { return false }
        switch kind {
        case .rsa(let bits):
            guard signature.count == (bits + 7) / 8 else { return false }
            return isValidRSA(signature, ofDigest: digest, hash, .pkcs1v15)
        case .ellipticCurve(let curve):
            guard signature.count <= 2 * curve.coordinateByteCount + 9 else { return false }
            return isValidECDSA(signature, ofDigest: digest, hash)
        }
    }
}
