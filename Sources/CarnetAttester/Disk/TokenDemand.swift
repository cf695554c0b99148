internal import CarnetEvidence
public import TPM2

/// To what a volume's key must be sealed for the TPM's word to count.
///
/// The TPM opens for whoever puts the disk in whatever was sealed in it. A key that is bound to no state, or to PCRs that are the same in every
/// system (23, which anybody may reset), can have been sealed by another system on the same machine, and belong to another volume. The PCRs
/// of the firmware and the boot are the least that tells them apart.
public struct TokenDemand: Sendable, Hashable {
    /// All of these; `nil` for one at least of PCR 0 to 7.
    public let selection: TPM.PCRSelectionList?

    /// A demand.
    public init(_ selection: TPM.PCRSelectionList?) { self.selection = selection }

    /// Whether one at least of PCR 0 to 7 is selected, in a bank that is still good.
    public static func measuresBoot(_ selection: TPM.PCRSelectionList) -> Bool {
        selection.selections.contains { bank in
            bank.bank != .sha1 && bank.indices.contains { (0...7).contains($0) }
        }
    }

    /// Why a key under a policy is not used; `nil` when it is.
    public func refusal(of policy: SealingPolicy) -> String? {
        guard case .state(let state) = policy.condition else {
            return "it is sealed to no state of the machine, so that it can be anybody's who ever ran on it"
        }
        guard let selection else {
            return Self.measuresBoot(state.selection)
                ? nil
                : "it is sealed to \(state.selection.text), and to no PCR of 0 to 7, so that it can be of another system on this machine. If it is meant so, say --pcrs \(state.selection.text)"
        }
        let missing = selection.selections.flatMap { wanted in
            wanted.indices.filter { index in
                !state.selection.selections.contains { $0.bank == wanted.bank && $0.indices.contains(index) }
            }.map { "\(wanted.bank):\($0)" }
        }
        return missing.isEmpty
            ? nil
            : "it is sealed to \(state.selection.text), and not to \(missing.joined(separator: ", ")), which --pcrs demands"
    }
}
