internal import CarnetEvidence
internal import CarnetResult

extension TrustworthinessVector {
    /// The AR4SI vector of a boot (draft-ietf-rats-ar4si §2.3.4 and Appendix B.1).
    ///
    /// - *instance-identity* 2: the quote is by the key that is enrolled with this TPM.
    /// - *hardware* from PCR 0 and 2 (firmware): 2, or 97 when it is not recognised.
    /// - *configuration* from PCR 1, 3, 5 and 7: 2, or 96.
    /// - *executables* from the other PCRs: 3, approved during boot; or 96. Never 2: nothing here looks at what runs after the boot.
    ///
    /// A claim is asserted only where the policy pins a PCR of it. A TPM says nothing about memory encryption or data sources, so
    /// runtime-opaque and sourced-data are never asserted.
    static func appraised(_ matches: [Int: Bool], _ violations: [Finding]) -> TrustworthinessVector {
        var vector = TrustworthinessVector()
        vector[.instanceIdentity] = 2
        func assert(_ claim: Claim, _ pcrs: (Int) -> Bool, good: Int8, bad: Int8) {
            let found = matches.filter { pcrs($0.key) }
            let isBad = violations.contains { $0.pcr.map(pcrs) == true }
            if isBad { vector[claim] = bad } else if !found.isEmpty { vector[claim] = good }
        }
        assert(.hardware, { $0 == 0 || $0 == 2 }, good: 2, bad: 97)
        assert(.configuration, { [1, 3, 5, 7].contains($0) }, good: 2, bad: 96)
        assert(.executables, { ![0, 1, 2, 3, 5, 7].contains($0) }, good: 3, bad: 96)
        return vector
    }
}
