public import CarnetRelyingParty
internal import CarnetResult
internal import Cryptography
internal import TPM2

extension GrantForm {
    /// A TPM import blob: a sealed object of 1 to 128 bytes that only the TPM of the passport imports, under the storage key that it
    /// bound, and unseals only while its PCRs hold the quoted values.
    ///
    /// It may be kept and opened again and again in the same state, long after the passport expired: give a key that encrypts keys, and
    /// change it when the machine is no longer to be trusted.
    public static let tpmImport = GrantForm("tpm-import") { (secret, recipient) throws(Shortage) in
        guard let state = recipient.state, let storageKey = state.storageKey else {
            throw .notBound(
                reason: "The passport binds no storage key",
                nextStep: "Let the machine attest with --storage-key, under a policy that rules PCRs")
        }
        guard (1...TPM.ImportBlob.maximumSecretByteCount).contains(secret.count) else {
            throw .failed(
                reason:
                    "The secret has \(secret.count) bytes; a TPM import blob holds 1 to \(TPM.ImportBlob.maximumSecretByteCount)",
                nextStep: "Give a key that encrypts the rest, or use the form jwe")
        }
        do {
            let point = try storageKey.publicKey().point
            // Every fresh policy session meets a policy of zeros.
            guard state.policy.contains(where: { $0 != 0 }) else {
                throw JOSEError.invalidKey("its policy is empty: it would open in any state")
            }
            guard let point, let policy = TPM.PolicyDigest(.sha256, bytes: state.policy) else {
                throw JOSEError.invalidKey("it has no point, or its state no SHA-256 digest")
            }
            let parent = TPM.StorageKeyTemplate.publicArea(x: point.x, y: point.y)
            let blob = try TPM.ImportBlob.make(
                secret, policy: policy, authValue: recipient.recipientInfo, for: parent)
            return ImportMessage(
                parent: parent.name.bytes, pcrs: state.pcrs, publicArea: blob.publicArea, duplicate: blob.duplicate,
                encryptedSeed: blob.encryptedSeed
            ).bytes
        } catch let error as JOSEError {
            throw .notBound(
                reason: "The bound storage key cannot be used: \(error)", nextStep: "Report this to the issuer")
        } catch {
            throw .failed(reason: "The secret could not be sealed: \(error)", nextStep: "Try again")
        }
    }
}
