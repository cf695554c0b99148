package import CarnetResult

/// In which form a secret is given: what it is encrypted to, and what opens it.
///
/// ``jwe`` needs nothing but this library. Forms that need more come with targets of their own, so that this one stays free of it:
/// `import CarnetSealing` adds the form that a TPM opens in the attested state only.
public struct GrantForm: Sendable {
    /// What a form has to work with: the claims of a proven passport.
    package struct Recipient: Sendable {
        /// The bound encryption key; `nil` where none was bound.
        package let encryptionKey: BoundEncryptionKey?
        /// The bound state; `nil` where the passport states none.
        package let state: StateBinding?
        /// What the message answers (``CarnetResult/SecretMessage/recipientInfo(passportHash:proofID:)``), 32 bytes.
        package let recipientInfo: [UInt8]
        /// The weakest acceptable protection of what the secret is encrypted to.
        package let minimumProtection: KeyProtection
    }

    /// The form's name, as the command line has it.
    public let name: String
    let seal: @Sendable (_ secret: [UInt8], _ recipient: Recipient) throws(Shortage) -> [UInt8]

    /// Why a form cannot be made.
    package enum Shortage: Error {
        /// The passport does not bind what the form needs.
        case notBound(reason: String, nextStep: String)
        /// What it binds is kept less well than is demanded.
        case protection(reason: String, nextStep: String)
        /// The secret does not fit, or the encryption failed.
        case failed(reason: String, nextStep: String)
    }

    /// A form.
    package init(
        _ name: String,
        seal: @escaping @Sendable (_ secret: [UInt8], _ recipient: Recipient) throws(Shortage) -> [UInt8]
    ) {
        self.name = name
        self.seal = seal
    }

    /// A compact JWE in ASCII (`ECDH-ES+A256KW`, `A256GCM`) to the bound encryption key, of at most 65,536 bytes.
    public static let jwe = GrantForm("jwe") { (secret, recipient) throws(Shortage) in
        guard let bound = recipient.encryptionKey else {
            throw .notBound(
                reason: "The passport binds no encryption key",
                nextStep: "Let the machine attest with an encryption key to bind")
        }
        guard bound.protection >= recipient.minimumProtection else {
            throw .protection(
                reason:
                    "The encryption key is kept in \(bound.protection.rawValue); \(recipient.minimumProtection.rawValue) is demanded",
                nextStep: "Let the machine bind an encryption key that its TPM holds")
        }
        do throws(JOSEError) {
            return try SecretMessage.seal(secret, to: bound.key, recipientInfo: recipient.recipientInfo)
        } catch .invalidKey(let reason) {
            throw .notBound(
                reason: "The bound encryption key cannot be used: \(reason)", nextStep: "Report this to the issuer")
        } catch {
            throw .failed(reason: "The secret could not be encrypted: \(error)", nextStep: "Try again")
        }
    }
}
