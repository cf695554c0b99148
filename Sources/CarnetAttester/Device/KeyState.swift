internal import CarnetEvidence
public import CarnetResult
internal import Cryptography
public import TPM2

/// The PCRs to which a key is bound, and the policy that says with which values.
public struct KeyState: Sendable, Hashable {
    /// Byte for byte what the policy was made over.
    public let selection: TPM.PCRSelectionList
    /// PolicyPCR, SHA-256, 32 bytes.
    public let policy: [UInt8]

    /// The state in which the selected PCRs hold `values`.
    ///
    /// - Returns: `nil` when nothing is selected, or a value is missing.
    public init?(_ selection: TPM.PCRSelectionList, in values: [TPM.AlgorithmID: [Int: [UInt8]]]) {
        guard let digest = TPM.PolicyDigest(.sha256).pcr(selection, in: values) else { return nil }
        self.selection = selection
        policy = digest.bytes
    }

    /// The state that a passport of this machine states.
    ///
    /// - Returns: `nil` when its PCRs are no selection that is known here.
    public init?(_ binding: StateBinding) {
        guard let selection = TPM.PCRSelectionList(text: binding.pcrs), binding.policy.count == 32 else { return nil }
        self.selection = selection
        policy = binding.policy
    }

}
