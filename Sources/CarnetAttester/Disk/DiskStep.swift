/// A step on the way to a volume that opens without its old key. Whatever step a machine dies after, the key is in the volume and with the
/// broker, or is not needed yet.
public enum DiskStep: String, Sendable, Hashable, CaseIterable {
    /// A key is made, in memory only.
    case makeKey
    /// The broker keeps the key, wrapped by the TPM.
    case escrow
    /// The broker gives it back, and the TPM opens it.
    case checkEscrow
    /// The volume has a keyslot for the key.
    case addKeyslot
    /// The key opens it.
    case checkKeyslot
    /// The volume's header has the key, sealed by the TPM for a state.
    case addToken
    /// It is read back, and the TPM opens it.
    case checkToken
    /// Tokens that were there before are gone.
    case removeOlderTokens
    /// The broker keeps the one version that counts.
    case forgetOlderEscrows
    /// The broker knows to what the key is sealed.
    case report
    /// Keyslots that are no longer wanted are gone. It is the last step: whatever it died after before, the same command finishes.
    case removeKeys
}

/// What was found when an enrolment begins: at the first one nothing, later what another left when it was interrupted.
struct EnrolmentFindings: Sendable, Hashable {
    /// Whether the broker keeps a key that opens the volume.
    var hasKey: Bool
    /// Whether a copy for an operator's key is wanted, which comes to the broker with a wrap of its own.
    var wantsRecovery: Bool
    /// Whether other PCRs were named than those that the broker keeps with the key.
    var changesPCRs = false
    /// Whether keyslots are to be removed.
    var removesKeys: Bool

    /// What is left to do, in the order in which nothing can be lost: the second copy of the key is there before the volume takes it, and
    /// both were tried before anything that opens the volume goes.
    var steps: [DiskStep] {
        var steps: [DiskStep] = hasKey ? [] : [.makeKey]
        if !hasKey || wantsRecovery || changesPCRs { steps += [.escrow] }
        steps += [.checkEscrow]
        if !hasKey { steps += [.addKeyslot] }
        steps += [.checkKeyslot, .addToken, .checkToken, .removeOlderTokens, .forgetOlderEscrows, .report]
        return removesKeys ? steps + [.removeKeys] : steps
    }
}
