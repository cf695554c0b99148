public import TPM2

/// What a machine was when it attested, as far as its policy looks at it: compared with what it is now, it says whether to attest again.
public struct MachineMark: Sendable, Hashable {
    /// Since which start the TPM runs.
    public let epoch: BootEpoch
    /// The PCRs that the verifier had quoted.
    public let pcrs: [TPM.AlgorithmID: [Int: [UInt8]]]

    /// A mark.
    public init(epoch: BootEpoch, pcrs: [TPM.AlgorithmID: [Int: [UInt8]]]) {
        self.epoch = epoch
        self.pcrs = pcrs
    }

    /// The PCR that the kernel extends with each file that it measures (`CONFIG_IMA_MEASURE_PCR_IDX`), unless it is built otherwise. What is
    /// added to the IMA list shows here, without reading the list.
    public static let growingPCR = 10

    /// What became of a machine.
    public enum Difference: Sendable, Hashable {
        case none
        /// Only more files were measured.
        case growth
        /// Something else.
        case change
    }

    /// The PCRs that have to be read to compare; `nil` when none was quoted.
    public var selection: TPM.PCRSelectionList? {
        let selections = pcrs.filter { !$0.value.isEmpty }.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { TPM.PCRSelection(bank: $0.key, indices: $0.value.keys.sorted()) }
        return selections.isEmpty ? nil : TPM.PCRSelectionList(selections)
    }

    /// How a later mark differs.
    public func difference(to later: MachineMark) -> Difference {
        guard later != self else { return .none }
        func withoutGrowth(_ mark: MachineMark) -> [TPM.AlgorithmID: [Int: [UInt8]]] {
            mark.pcrs.mapValues { $0.filter { $0.key != Self.growingPCR } }
        }
        return epoch == later.epoch && withoutGrowth(self) == withoutGrowth(later) ? .growth : .change
    }

    /// Looks at the machine again: the epoch and the same PCRs.
    public func again(on device: TPMDevice) throws(TPMDeviceError) -> MachineMark {
        let epoch = try device.bootEpoch()
        guard let selection else { return MachineMark(epoch: epoch, pcrs: [:]) }
        return MachineMark(epoch: epoch, pcrs: try device.readPCRs(selection))
    }
}
