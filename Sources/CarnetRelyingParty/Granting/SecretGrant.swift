public import CarnetResult

/// Gives a secret to the machine of a passport: encrypted to a key that the same quote bound.
///
/// It takes a ``ProvenResult``, so that nothing can be granted to somebody who merely holds a copy of a passport.
public enum SecretGrant {
    /// Encrypts `secret` to the machine's encryption key.
    ///
    /// - Parameters:
    ///   - secret: At most 65,536 bytes.
    ///   - minimumProtection: Where the encryption key must live.
    ///   - now: Seconds since 1970; an expired passport gets nothing.
    /// - Returns: A compact JWE in ASCII (`ECDH-ES+A256KW`, `A256GCM`), bound to passport and proof by `apv`
    ///   (``CarnetResult/SecretMessage/recipientInfo(passportHash:proofID:)``).
    public static func seal(
        _ secret: [UInt8], to caller: ProvenResult, minimumProtection: KeyProtection = .tpm, at now: Int64
    ) throws(Refusal) -> [UInt8] {
        guard now < caller.result.expiresAt else {
            throw Refusal(.expired, "The passport expired meanwhile", nextStep: "Let the machine attest again")
        }
        guard let submodule = caller.result.submodules[AttestationResult.submodule], let bound = submodule.encryptionKey
        else {
            throw Refusal(
                .noEncryptionKey, "The passport binds no encryption key",
                nextStep: "Let the machine attest with an encryption key to bind")
        }
        guard bound.protection >= minimumProtection else {
            throw Refusal(
                .keyProtection,
                "The encryption key is kept in \(bound.protection.rawValue); \(minimumProtection.rawValue) is demanded",
                nextStep: "Let the machine bind an encryption key that its TPM holds")
        }
        let recipientInfo = SecretMessage.recipientInfo(
            passportHash: caller.result.tokenHash, proofID: caller.proofID)
        do {
            return try SecretMessage.seal(secret, to: bound.key, recipientInfo: recipientInfo)
        } catch .invalidKey(let reason) {
            throw Refusal(
                .noEncryptionKey, "The bound encryption key cannot be used: \(reason)",
                nextStep: "Report this to the issuer")
        } catch {
            throw Refusal(.encryptionFailed, "The secret could not be encrypted: \(error)", nextStep: "Try again")
        }
    }
}
