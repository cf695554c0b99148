public import Cryptography

/// The list's first entry: a digest over the boot's PCRs, which ties what was measured at run time to the boot that came before.
public enum IMABootAggregate {
    /// The entry's name.
    public static let name = "boot_aggregate"

    /// What a comparison with quoted PCRs found.
    public enum Outcome: Sendable, Hashable {
        /// The digest is that of the quoted values of PCR 0 to the last one named: 9, or 7 for SHA-1 and before Linux 5.9.
        case matches(IMADigest, lastPCR: Int)
        /// The list was begun on another boot, or the quote is about another machine.
        case differs(found: IMADigest, expected: [UInt8])
        /// It could not be compared. That is not a match.
        case notCovered(Reason)
    }

    /// Why the boot aggregate could not be compared.
    public enum Reason: Sendable, Hashable {
        /// The quoted value covers no entry of the list.
        case nothingIsCovered
        /// The list is a part that begins with the entry of this number.
        case listBeginsLater(Int)
        /// The first entry is not a measurement of this name that the replayed PCR covers.
        case isNotFirstEntry
        /// Carnet does not compute the entry's hash.
        case algorithm(IMADigestAlgorithm)
        /// A PCR that the digest covers was not quoted in the bank of its hash.
        case notQuoted(HashAlgorithm, pcr: Int)
    }

    /// Compares the first entry of a list that was matched with the quoted PCRs of the entry's own algorithm.
    ///
    /// - Parameter quoted: The authenticated value of a PCR in a bank; `nil` where the quote has none.
    public static func check(
        _ list: IMAList, _ match: IMAReplay.Match, quoted: (HashAlgorithm, Int) -> [UInt8]?
    ) -> Outcome {
        guard list.firstIndex == 0 else { return .notCovered(.listBeginsLater(list.firstIndex)) }
        guard match.coveredCount > 0, list.count > 0 else { return .notCovered(.nothingIsCovered) }
        guard match.covers(list[0]), case .file(let file) = list[0].content, file.digest.kind == .file,
            file.name.matches(name)
        else { return .notCovered(.isNotFirstEntry) }
        return compare(file.digest, quoted)
    }

    private static func compare(_ digest: IMADigest, _ quoted: (HashAlgorithm, Int) -> [UInt8]?) -> Outcome {
        guard let hash = digest.algorithm.hash else { return .notCovered(.algorithm(digest.algorithm)) }
        var values: [UInt8] = []
        var expected: [UInt8] = []
        for pcr in 0...(hash == .insecureSHA1 ? 7 : 9) {
            guard let value = quoted(hash, pcr), value.count == hash.byteCount else {
                return .notCovered(.notQuoted(hash, pcr: pcr))
            }
            values += value
            guard pcr == 7 || pcr == 9 else { continue }
            expected = hash.hash(values)
            if expected == digest.bytes { return .matches(digest, lastPCR: pcr) }
        }
        return .differs(found: digest, expected: expected)
    }
}
