public import TPM2

/// What PCRs held when they were read. Nothing here is authentic; a quote is.
public struct PCRValues: Sendable, Hashable {
    /// The values by bank and index, each as long as the bank's digest.
    public internal(set) var banks: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]

    /// The value of one PCR.
    public subscript(bank: TPM.AlgorithmID, index: Int) -> [UInt8]? { banks[bank]?[index] }

    /// The values one after another in the order in which a quote hashes them, or `nil` when one is missing.
    public func concatenated(_ selection: TPM.PCRSelectionList) -> [UInt8]? {
        var bytes: [UInt8] = []
        for part in selection.selections {
            for index in part.indices {
                guard let value = self[part.bank, index] else { return nil }
                bytes += value
            }
        }
        return bytes
    }
}
