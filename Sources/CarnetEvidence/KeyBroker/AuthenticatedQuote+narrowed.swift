public import TPM2

extension AuthenticatedQuote {
    /// The same quote with fewer of its PCRs to look at; `nil` when it does not cover all of these.
    ///
    /// A quote of every PCR is a quote of some: each value was checked against the one digest that the TPM signed.
    public func narrowed(to selection: TPM.PCRSelectionList) -> AuthenticatedQuote? {
        guard let pcrs = pcrs.narrowed(to: selection) else { return nil }
        return AuthenticatedQuote(self, pcrs: pcrs)
    }
}

extension VerifiedPCRs {
    fileprivate func narrowed(to selection: TPM.PCRSelectionList) -> VerifiedPCRs? {
        var narrowed: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]
        for bank in selection.selections {
            for index in bank.indices {
                guard let value = values[bank.bank]?[index] else { return nil }
                narrowed[bank.bank, default: [:]][index] = value
            }
        }
        return VerifiedPCRs(selection: selection, values: narrowed)
    }
}
