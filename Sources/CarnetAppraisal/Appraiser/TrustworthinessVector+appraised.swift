internal import CarnetEvidence
internal import CarnetResult

extension TrustworthinessVector {
    /// The AR4SI vector of a boot (draft-ietf-rats-ar4si §2.3.4 and Appendix B.1).
    ///
    /// - *instance-identity* 2: the quote is by the key that is enrolled with this TPM.
    /// - *hardware* 2 if the policy pins PCR 0, the firmware; 97, not recognised, if PCR 0 or 2 is another.
    /// - *configuration* 2 if it pins PCR 1 or 7; 96 if PCR 1, 3, 5 or 7 is another.
    /// - *executables* 3, only an approved set was loaded during boot, if it pins PCR 4, the boot loaders, and the log explains every
    ///   quoted PCR; 2 if IMA's list was appraised besides and every file in it is allowed; 96 if one of the other PCRs is another.
    /// - A component that a policy only warns of makes its claim 32, or 33 for executables.
    ///
    /// A claim that is not asserted says nothing. A TPM knows nothing of memory encryption or data sources, so runtime-opaque and
    /// sourced-data are never asserted.
    ///
    /// - Parameters:
    ///   - judgement: What was found.
    ///   - isExplained: Whether the log replays to every quoted PCR.
    static func appraised(_ judgement: Judgement, isExplained: Bool) -> TrustworthinessVector {
        var vector = TrustworthinessVector()
        vector[.instanceIdentity] = 2
        func assert(
            _ claim: Claim, _ value: Int8, pinning pcrs: Int..., elseBad bad: Int8, orDoubtful doubtful: Int8,
            in covered: (Int) -> Bool
        ) {
            if judgement.violations.contains(where: { $0.pcr.map(covered) == true }) {
                vector[claim] = bad
            } else if judgement.warnings.contains(where: { $0.pcr.map(covered) == true }) {
                vector[claim] = doubtful
            } else if pcrs.contains(where: { judgement.matches[$0] == true }) {
                vector[claim] = value
            }
        }
        assert(.hardware, 2, pinning: 0, elseBad: 97, orDoubtful: 32) { $0 == 0 || $0 == 2 }
        assert(.configuration, 2, pinning: 1, 7, elseBad: 96, orDoubtful: 32) { [1, 3, 5, 7].contains($0) }
        assert(.executables, 3, pinning: 4, elseBad: 96, orDoubtful: 33) { ![0, 1, 2, 3, 5, 7].contains($0) }
        if vector[.executables] == 3, judgement.filesAreAllowed == true { vector[.executables] = 2 }
        if !isExplained, vector[.executables] == 3 || vector[.executables] == 2 { vector[.executables] = nil }
        return vector
    }
}
