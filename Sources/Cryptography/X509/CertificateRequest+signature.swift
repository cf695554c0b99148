extension CertificateRequest {
    /// Whether the holder of ``publicKey`` signed the request: ECDSA or RSASSA-PKCS1-v1_5 with SHA-256, SHA-384 or SHA-512.
    public var isSignedByItsKey: Bool {
        guard let algorithm = Self.algorithms[Array(signatureAlgorithm)] else { return false }
        switch (publicKey.kind, algorithm.isEllipticCurve) {
        case (.ellipticCurve, true), (.rsa, false): break
        default: return false
        }
        return publicKey.isValidSignature(signature, ofDigest: algorithm.hash.hash(signedBytes), algorithm.hash)
    }

    /// The AlgorithmIdentifiers of RFC 5758 §3.2, without parameters, and of RFC 8017 §A.2.4, with NULL.
    private static let algorithms: [[UInt8]: (hash: HashAlgorithm, isEllipticCurve: Bool)] = {
        var algorithms: [[UInt8]: (hash: HashAlgorithm, isEllipticCurve: Bool)] = [:]
        let numbers: [(HashAlgorithm, ecdsa: UInt8, rsa: UInt8)] = [
            (.sha256, 2, 11), (.sha384, 3, 12), (.sha512, 4, 13),
        ]
        for (hash, ecdsa, rsa) in numbers {
            let curve = DER.element(DER.Tag.objectIdentifier, [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, ecdsa])
            let modulus = DER.element(
                DER.Tag.objectIdentifier, [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, rsa])
            algorithms[DER.element(DER.Tag.sequence, curve)] = (hash, true)
            algorithms[DER.element(DER.Tag.sequence, modulus + [DER.Tag.null, 0])] = (hash, false)
        }
        return algorithms
    }()
}
