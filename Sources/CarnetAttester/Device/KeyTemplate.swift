internal import Cryptography
public import TPM2

/// The keys that an agent makes in its TPM, all in the endorsement hierarchy, each from a template with a random `unique`.
///
/// The TPM makes the same key from the same template again, so nothing secret is stored outside it: `unique` only tells one
/// agent's keys from another's. A new `unique` is a new key.
public enum KeyTemplate {
    /// The algorithm of an attestation key.
    public enum AttestationAlgorithm: String, Sendable, CaseIterable {
        /// P-256, ECDSA with SHA-256.
        case ecc
        /// RSA 2048, RSASSA with SHA-256.
        case rsa
    }

    /// How many bytes of `unique` are random.
    public static let uniqueByteCount = 32

    /// The attestation key: restricted, so that it signs only what the TPM itself states (attributes 0x00050072).
    public static func attestationKey(_ algorithm: AttestationAlgorithm = .ecc, unique: [UInt8]) -> TPM.Public {
        let attributes: TPM.ObjectAttributes = [
            .fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .restricted, .sign,
        ]
        return switch algorithm {
        case .ecc: TPM.Public(attributes: attributes, scheme: .ecdsa(.sha256), key: p256).with(nonce: unique)
        case .rsa:
            TPM.Public(
                attributes: attributes, scheme: .rsassa(.sha256), key: .rsa(bits: 2048, exponent: 0, modulus: [])
            ).with(nonce: unique)
        }
    }

    /// The key to which a passport is bound: P-256, signs any digest (ES256), never decrypts, never leaves the TPM.
    public static func passportKey(unique: [UInt8]) -> TPM.Public {
        TPM.Public(
            attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .sign], scheme: .ecdsa(.sha256),
            key: p256
        ).with(nonce: unique)
    }

    /// The key to which secrets are encrypted: P-256, agrees on secrets (ECDH), never signs, never leaves the TPM.
    public static func encryptionKey(unique: [UInt8]) -> TPM.Public {
        TPM.Public(
            attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .decrypt],
            scheme: .ecdh(.sha256), key: p256
        ).with(nonce: unique)
    }

    private static let p256 = TPM.Public.Key.ecc(curve: .p256, x: [], y: [])
}
