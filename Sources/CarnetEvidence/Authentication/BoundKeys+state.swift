public import Cryptography
public import TPM2

extension BoundKeys.Key {
    /// What a key that follows the machine's state may be besides what every certified key is. Neither loosens its policy.
    private static let harmless: TPM.ObjectAttributes = [.noDA, .stClear]

    /// Whether the TPM uses this key only while the selected PCRs hold the values that were quoted.
    ///
    /// The certified public area has to say so itself: its policy is PolicyPCR over exactly this selection and these values and nothing
    /// else, no password uses the key (`userWithAuth` is clear), and no bit is set that is not known here. `adminWithPolicy` is clear too:
    /// with it a TPM could not have certified a key whose policy is PolicyPCR alone (Part 1 §19.7.2: the ADMIN role needs a policy
    /// with TPM2_PolicyCommandCode).
    ///
    /// - Parameters:
    ///   - selection: Byte for byte the selection that the policy was made over.
    ///   - pcrs: The quoted values; a selected PCR that was not quoted binds nothing.
    public func isBound(to selection: TPM.PCRSelectionList, of pcrs: VerifiedPCRs) -> Bool {
        guard let certified, let policy = pcrs.policy(selection, certified.nameAlgorithm) else { return false }
        let base: TPM.ObjectAttributes = [.fixedTPM, .fixedParent, .sensitiveDataOrigin]
        let usage = certified.attributes.subtracting(base).subtracting(Self.harmless)
        return (usage == .sign || usage == .decrypt) && certified.authPolicy == policy.bytes
    }
}

extension VerifiedPCRs {
    /// PolicyPCR over PCRs at their quoted values; `nil` when nothing is selected, or something that was not quoted.
    public func policy(_ selection: TPM.PCRSelectionList, _ hash: HashAlgorithm) -> TPM.PolicyDigest? {
        TPM.PolicyDigest(hash).pcr(selection, in: values)
    }
}
