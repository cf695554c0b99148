internal import CTSS2
public import TPM2

extension TPMConnection {
    /// Reads PCRs (`TPM2_PCR_Read`), as often as it takes: a TPM answers at most eight at a time.
    ///
    /// - Throws: ``TPMError/Code/unsupported``, naming the bank and the PCR, when the TPM does not have it.
    public func readPCRs(_ selection: TPM.PCRSelectionList) throws(TPMError) -> PCRValues {
        var values = PCRValues()
        for part in selection.selections {
            var missing = part.indices
            values.banks[part.bank, default: [:]] = [:]
            while let first = missing.first {
                let read = try readSome(TPM.PCRSelection(bank: part.bank, indices: missing))
                guard !read.isEmpty else {
                    throw error(
                        .unsupported, "TPM2_PCR_Read",
                        "the TPM has no PCR \(first) in the bank \(part.bank); activate the bank in the firmware's settings")
                }
                for (index, value) in read { values.banks[part.bank, default: [:]][index] = value }
                missing.removeAll { index in read.contains { $0.0 == index } }
            }
        }
        return values
    }

    /// One `TPM2_PCR_Read`: the PCRs that the TPM chose to answer.
    private func readSome(_ wanted: TPM.PCRSelection) throws(TPMError) -> [(Int, [UInt8])] {
        var request = TPML_PCR_SELECTION()
        let bytes = TPM.PCRSelectionList([wanted]).bytes
        try fill(&request, from: bytes, "TPML_PCR_SELECTION", Tss2_MU_TPML_PCR_SELECTION_Unmarshal)
        var counter: UInt32 = 0
        var answered: UnsafeMutablePointer<TPML_PCR_SELECTION>?
        var digests: UnsafeMutablePointer<TPML_DIGEST>?
        defer {
            Esys_Free(answered)
            Esys_Free(digests)
        }
        try check(
            "TPM2_PCR_Read",
            Esys_PCR_Read(
                try esys(), Self.none, Self.none, Self.none, &request, &counter, &answered, &digests))
        guard let answered, let digests else { throw error(.malformed, "TPM2_PCR_Read", "the answer is incomplete") }
        guard
            let list = try? TPM.PCRSelectionList(
                parsing: self.bytes(of: answered, "TPML_PCR_SELECTION", Tss2_MU_TPML_PCR_SELECTION_Marshal)),
            list.selections.allSatisfy({ $0.bank == wanted.bank }),
            case let indices = list.selections.flatMap(\.indices), indices.count == Int(digests.pointee.count),
            Set(indices).isSubset(of: wanted.indices)
        else { throw error(.malformed, "TPM2_PCR_Read", "the answer is for other PCRs than were asked for") }
        let first = carnet_digests(digests)
        return indices.enumerated().map { offset, index in
            (index, first.map { content(ofSized: $0 + offset) } ?? [])
        }
    }
}
