package import TPM2

extension TPM.PCRSelectionList {
    /// The selection as tpm2-tools writes it: `sha256:0,1,7+sha384:0`.
    package var text: String {
        selections.map { "\($0.bank):" + $0.indices.map(String.init).joined(separator: ",") }.joined(separator: "+")
    }

    /// Reads what ``text`` writes, and no other spelling: banks with a known hash, at least one PCR in each, ascending.
    package init?(text: String) {
        guard text.utf8.count <= 512 else { return nil }
        var selections: [TPM.PCRSelection] = []
        for part in text.split(separator: "+", omittingEmptySubsequences: false) {
            let halves = part.split(separator: ":", omittingEmptySubsequences: false)
            guard halves.count == 2, let bank = TPM.AlgorithmID(hashNamed: String(halves[0])) else { return nil }
            let indices = halves[1].split(separator: ",", omittingEmptySubsequences: false).compactMap { Int($0) }
            selections.append(TPM.PCRSelection(bank: bank, indices: indices))
        }
        self.init(selections)
        guard self.text == text, selections.allSatisfy({ !$0.indices.isEmpty }), selections.count <= 8 else {
            return nil
        }
    }
}
