public import Cryptography
public import TPM2

/// The question of an enrolment: a secret that only the TPM with this endorsement key can read, and only for this attestation key.
public struct CredentialChallenge: Sendable {
    /// 32 random bytes; never leaves the verifier in the clear.
    public let secret: [UInt8]
    public let credential: TPM.Credential

    /// A fresh secret, wrapped (TPM 2.0 Library, Part 1 §24).
    public init(for attestationKey: AttestationKey, in endorsementKey: TrustedEndorsementKey) throws(CryptographyError)
    {
        secret = SecureRandom.bytes(32)
        credential = try TPM.Credential.make(
            secret, for: attestationKey.name, in: endorsementKey.key.publicArea)
    }
}
