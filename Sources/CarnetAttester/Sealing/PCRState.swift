internal import CarnetEvidence
internal import Cryptography
public import TPM2

/// PCRs and the values that they have to hold.
public struct PCRState: Sendable, Hashable {
    public let selection: TPM.PCRSelectionList
    /// The values in the order of the selection, each as long as its bank's digest.
    public let values: [[UInt8]]

    /// The state in which the selected PCRs hold `values`, by bank and index.
    ///
    /// - Returns: `nil` when nothing is selected, or a value is missing or of another length.
    public init?(_ selection: TPM.PCRSelectionList, in values: [TPM.AlgorithmID: [Int: [UInt8]]]) {
        var ordered: [[UInt8]] = []
        for bank in selection.selections {
            for index in bank.indices {
                guard let value = values[bank.bank]?[index] else { return nil }
                ordered.append(value)
            }
        }
        self.init(selection, values: ordered)
    }

    /// The same from values in the order of the selection.
    public init?(_ selection: TPM.PCRSelectionList, values: [[UInt8]]) {
        let lengths = selection.selections.flatMap { bank in
            bank.indices.map { _ in bank.bank.hash?.byteCount }
        }
        guard !lengths.isEmpty, lengths.count == values.count,
            zip(lengths, values).allSatisfy({ $0 == $1.count })
        else { return nil }
        self.selection = selection
        self.values = values
    }

    /// TPM2_PolicyPCR, SHA-256.
    public var policy: TPM.PolicyDigest { TPM.PolicyDigest(.sha256).pcr(selection, values: values) }

    /// The PCRs that hold other values in `other`, which is over the same selection, as `sha256:7`.
    public func changes(in other: PCRState) -> [String] {
        let names = selection.selections.flatMap { bank in bank.indices.map { "\(bank.bank):\($0)" } }
        return zip(names, zip(values, other.values)).filter { $1.0 != $1.1 }.map(\.0)
    }
}

extension TPMDevice {
    /// The state in which the selected PCRs are now, provided that the machine is still in the one that was attested: what is released for one
    /// state must not be sealed to another.
    ///
    /// A PCR that was extended does not come back, so that what holds after the reading held when it was read.
    ///
    /// - Throws: ``TPMDeviceError/Code/stateChanged`` when it is not.
    public func state(
        _ selection: TPM.PCRSelectionList, attested: KeyState?
    ) throws(TPMDeviceError) -> PCRState {
        let now = try state(selection)
        guard let attested else { return now }
        guard try state(attested.selection).policy.bytes == attested.policy else {
            throw TPMDeviceError(
                .stateChanged, device: name,
                "The machine is no longer in the state that was attested: a PCR of \(attested.selection.text) changed meanwhile. The key is not sealed to the new state. Attest again."
            )
        }
        return now
    }

    /// The state in which the selected PCRs are now.
    public func state(_ selection: TPM.PCRSelectionList) throws(TPMDeviceError) -> PCRState {
        guard let state = PCRState(selection, in: try readPCRs(selection)) else {
            throw invalid("The PCR selection")
        }
        return state
    }
}
