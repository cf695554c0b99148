internal import Cryptography
public import TPM2

/// When the TPM opens what it sealed.
public struct SealingPolicy: Sendable, Hashable {
    /// What has to hold.
    public enum Condition: Sendable, Hashable {
        /// Nothing but being this TPM. For what is kept where the machine is not: who has message and machine opens it.
        case thisTPM
        /// The PCRs hold these values.
        case state(PCRState)
        /// The PCRs hold values that the holder of this key approved.
        case approved(by: TPM.Public)
        /// The PIN is given; no state opens it.
        case pin
    }

    public let condition: Condition
    /// Whether a PIN opens it, in any state. The TPM counts wrong PINs and locks itself out.
    public let hasPIN: Bool

    /// A policy. What any state opens has no PIN, and what the PIN alone opens has one.
    public init(_ condition: Condition, hasPIN: Bool = false) {
        self.condition = condition
        self.hasPIN = condition == .pin || hasPIN && condition != .thisTPM
    }

    /// What the object's public area has to say: that it was made in this TPM, under its parent, and never leaves.
    var attributes: TPM.ObjectAttributes {
        var attributes: TPM.ObjectAttributes = [.fixedTPM, .fixedParent]
        attributes.formUnion(condition == .thisTPM ? .userWithAuth : .adminWithPolicy)
        // Only a PIN is worth guessing; without one a loss of power must not count as a wrong guess.
        if !hasPIN { attributes.insert(.noDA) }
        return attributes
    }

    /// The alternatives of TPM2_PolicyOR: the condition, and the PIN; only the condition where there is none; nothing without a policy.
    var branches: [TPM.PolicyDigest] {
        let first: TPM.PolicyDigest
        switch condition {
        case .thisTPM: return []
        case .pin: return [TPM.PolicyDigest(.sha256).authValue()]
        case .state(let state): first = state.policy
        case .approved(let key):
            first = TPM.PolicyDigest(.sha256).authorize(keyName: key.name, reference: PolicyApproval.reference)
        }
        return hasPIN ? [first, TPM.PolicyDigest(.sha256).authValue()] : [first]
    }

    /// What TPM2_PolicyOR gets; nothing where there is no choice.
    var alternatives: [TPM.PolicyDigest] {
        let branches = branches
        return branches.count > 1 ? branches : []
    }

    /// The object's policy digest: 32 bytes, or none.
    public var digest: [UInt8] {
        let branches = branches
        return branches.count > 1 ? TPM.PolicyDigest(.sha256).or(branches).bytes : branches.first?.bytes ?? []
    }
}
