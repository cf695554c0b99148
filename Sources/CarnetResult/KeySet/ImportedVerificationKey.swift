public import Cryptography

/// A verification key in the form in which signatures are checked, made once.
public enum ImportedVerificationKey: Sendable {
    case es256(PublicKey)
    case rs256(PublicKey)
    case ed25519(Ed25519PublicKey)
}

extension VerificationKey {
    /// The key, checked.
    ///
    /// - Throws: ``JOSEError/invalidKey(_:)`` for a point that is not on P-256, a modulus below 2048 bits, or an exponent that is even
    ///   or below 3.
    public func imported() throws(JOSEError) -> ImportedVerificationKey {
        do {
            switch material {
            case .p256(let key): return .es256(try key.publicKey())
            case .rsa(let modulus, let exponent):
                let key = try PublicKey(rsaModulus: modulus, publicExponent: exponent)
                guard case .rsa(let bits) = key.kind, bits >= 2048 else {
                    throw JOSEError.invalidKey("an RSA key has less than 2048 bits")
                }
                return .rs256(key)
            case .ed25519(let point): return .ed25519(try Ed25519PublicKey(rawRepresentation: point))
            }
        } catch let error as JOSEError {
            throw error
        } catch {
            throw .invalidKey("the key cannot be used: \(error)")
        }
    }
}

extension CompactJWS {
    /// Whether the signature is by `key`, with the algorithm that the key has. What the header says is the caller's to compare.
    public func isSigned(by key: ImportedVerificationKey) -> Bool {
        switch key {
        case .es256(let key): isSigned(by: key)
        case .rs256(let key): key.isValidRSASignature(signature, .pkcs1v15, over: Array(signingInput), .sha256)
        case .ed25519(let key): key.isValidSignature(signature, over: signingInput)
        }
    }
}
