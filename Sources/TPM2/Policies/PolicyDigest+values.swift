internal import Cryptography

extension TPM.PolicyDigest {
    /// TPM2_PolicyPCR over PCRs whose values are given by bank and index.
    ///
    /// - Returns: `nil` when nothing is selected, or when a selected PCR has no value of its bank's length.
    public func pcr(_ selection: TPM.PCRSelectionList, in values: [TPM.AlgorithmID: [Int: [UInt8]]]) -> Self? {
        guard selection.pcrCount > 0 else { return nil }
        var selected: [[UInt8]] = []
        for bank in selection.selections {
            for index in bank.indices {
                guard let value = values[bank.bank]?[index], value.count == bank.bank.hash?.byteCount else {
                    return nil
                }
                selected.append(value)
            }
        }
        return pcr(selection, values: selected)
    }
}
