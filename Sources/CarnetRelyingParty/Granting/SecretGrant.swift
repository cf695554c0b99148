public import CarnetResult

/// Gives a secret to the machine of a passport: encrypted to a key that the same quote bound.
///
/// It takes a ``ProvenResult``, so that nothing can be granted to somebody who merely holds a copy of a passport.
public enum SecretGrant {
    /// Encrypts `secret` to the machine.
    ///
    /// - Parameters:
    ///   - secret: At most as many bytes as the form takes.
    ///   - form: What the secret is encrypted to: ``GrantForm/jwe``, or a form of another target.
    ///   - minimumProtection: Where the key that opens it must live.
    ///   - now: Seconds since 1970; an expired passport gets nothing.
    /// - Returns: The message, bound to passport and proof
    ///   (``CarnetResult/SecretMessage/recipientInfo(passportHash:proofID:)``).
    public static func seal(
        _ secret: [UInt8], to caller: ProvenResult, as form: GrantForm = .jwe,
        minimumProtection: KeyProtection = .tpm, at now: Int64
    ) throws(Refusal) -> [UInt8] {
        guard now < caller.result.expiresAt else {
            throw Refusal(.expired, "The passport expired meanwhile", nextStep: "Let the machine attest again")
        }
        let recipient = GrantForm.Recipient(
            encryptionKey: caller.result.submodules[AttestationResult.submodule]?.encryptionKey,
            state: try caller.result.stateBinding(),
            recipientInfo: SecretMessage.recipientInfo(
                passportHash: caller.result.tokenHash, proofID: caller.proofID),
            minimumProtection: minimumProtection)
        do {
            return try form.seal(secret, recipient)
        } catch {
            switch error {
            case .notBound(let reason, let next): throw Refusal(.noEncryptionKey, reason, nextStep: next)
            case .protection(let reason, let next): throw Refusal(.keyProtection, reason, nextStep: next)
            case .failed(let reason, let next): throw Refusal(.encryptionFailed, reason, nextStep: next)
            }
        }
    }
}
