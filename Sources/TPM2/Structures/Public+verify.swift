public import Cryptography

extension TPM.Public {
    /// The one scheme and hash with which this key signs, or `nil` when its public area leaves them open.
    public var signingScheme: (algorithm: TPM.AlgorithmID, hash: HashAlgorithm)? {
        switch scheme {
        case .rsassa(let hash): hash.hash.map { (.rsassa, $0) }
        case .rsapss(let hash): hash.hash.map { (.rsapss, $0) }
        case .ecdsa(let hash): hash.hash.map { (.ecdsa, $0) }
        default: nil
        }
    }

    /// Whether `signature` is this key's over `message`, by the key's own scheme and hash.
    ///
    /// A signature that names another scheme or hash is refused without being tried; so is SHA-1, and RSA below 2048 bits.
    /// Pass `key`, made by ``publicKey()``, where many signatures of one key are checked.
    public func isValid(_ signature: TPM.Signature, over message: [UInt8], key: PublicKey? = nil) -> Bool {
        guard let (algorithm, hash) = signingScheme, hash != .insecureSHA1,
            signature.scheme == algorithm, signature.hash.hash == hash,
            let key = key ?? (try? publicKey())
        else { return false }
        if case .rsa(let bits) = key.kind, bits < 2048 { return false }
        return switch signature {
        case .rsassa(_, let bytes): key.isValidRSASignature(bytes, .pkcs1v15, over: message, hash)
        case .rsapss(_, let bytes): key.isValidRSASignature(bytes, .pss, over: message, hash)
        case .ecdsa(_, let r, let s): key.isValidECDSASignature(r: r, s: s, over: message, hash)
        }
    }
}
