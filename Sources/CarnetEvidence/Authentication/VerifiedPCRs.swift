public import TPM2

/// PCR values that a TPM signed. Only the authentication of a quote makes one, and only of PCRs that its selection covers.
public struct VerifiedPCRs: Sendable, Hashable {
    public let selection: TPM.PCRSelectionList
    let values: [TPM.AlgorithmID: [Int: [UInt8]]]

    init(selection: TPM.PCRSelectionList, values: [TPM.AlgorithmID: [Int: [UInt8]]]) {
        self.selection = selection
        self.values = values
    }

    /// A signed value, or `nil` for a PCR that was not quoted.
    public func value(ofPCR pcr: Int, in bank: TPM.AlgorithmID) -> [UInt8]? { values[bank]?[pcr] }

    /// The banks, in the order of the selection.
    public var banks: [TPM.AlgorithmID] { selection.selections.map(\.bank) }
}
