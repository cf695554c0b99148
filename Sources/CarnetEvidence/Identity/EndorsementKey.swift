public import Cryptography
public import TPM2

/// A TPM's endorsement key by its public area: a storage key that cannot leave the TPM and can only decrypt credentials.
///
/// The public area alone proves nothing about the TPM: that takes a certificate (``certified(by:intermediates:anchors:at:)``) or an
/// operator who registered its ``fingerprint``.
public struct EndorsementKey: Sendable {
    public let publicArea: TPM.Public
    public let key: PublicKey
    /// SHA-256 over the key's DER SubjectPublicKeyInfo: how operators register a key, and how one is recognised again.
    public let fingerprint: [UInt8]

    /// Why a public area or a certificate cannot be an endorsement key's.
    public struct Unsuitable: Error, Hashable, CustomStringConvertible {
        /// A stable name of the rule.
        public let rule: String
        public let description: String
        /// What to do about it.
        public let remedy: String
    }

    /// Checks the public area against the TCG EK Credential Profile 2.6, Annex B: attributes, policy, cipher, size.
    public init(checking area: TPM.Public) throws(Unsuitable) {
        func unsuitable(_ description: String) -> Unsuitable {
            Unsuitable(
                rule: "ek-template", description: description,
                remedy: "Create the endorsement key from the TCG's template L-1 (RSA 2048) or L-2 (ECC P-256)")
        }
        let required: TPM.ObjectAttributes = [
            .fixedTPM, .fixedParent, .sensitiveDataOrigin, .adminWithPolicy, .restricted, .decrypt,
        ]
        guard area.attributes.subtracting([.userWithAuth]) == required else {
            throw unsuitable("the endorsement key's attributes are \(area.attributes)")
        }
        let hash = area.nameAlgorithm
        typealias Template = TPM.EndorsementKeyTemplate
        let policies = [Template.policyA(hash).bytes, Template.policyB(hash).bytes]
        guard hash != .insecureSHA1, policies.contains(area.authPolicy) else {
            throw unsuitable("the endorsement key's policy is none of the TCG's")
        }
        guard case .aesCFB(let bits) = area.symmetric, bits == 128 || bits == 256, area.scheme == .null else {
            throw unsuitable("the endorsement key is no storage key with AES-128 or AES-256")
        }
        do {
            key = try area.publicKey()
            fingerprint = HashAlgorithm.sha256.hash(try key.subjectPublicKeyInfo)
        } catch {
            throw unsuitable("the endorsement key cannot be used: \(error)")
        }
        if case .rsa(let bits) = key.kind, bits < 2048 {
            throw unsuitable("the endorsement key has \(bits) bits; 2048 are the least")
        }
        publicArea = area
    }
}
