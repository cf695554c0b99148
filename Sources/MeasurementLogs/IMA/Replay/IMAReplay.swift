public import Cryptography

/// Finds out which entries of a list a quoted PCR value covers.
///
/// Entries are extended one after another until the register holds the quoted value. What stands behind that entry proves nothing: the
/// kernel may have measured it after the quote, or nobody may have.
public enum IMAReplay {
    /// How the kernel extends a bank; one mode for a whole list.
    public enum Mode: UInt8, Sendable, Hashable {
        /// With the bank's own hash over the template data: Linux 5.8 and later, where it has the hash.
        case native = 1
        /// With the SHA-1 digest and zeros behind it: before Linux 5.8, and where the kernel lacks the bank's hash. Such an entry is
        /// as strong as SHA-1: a policy must ask for it.
        case paddedSHA1 = 2
    }

    /// What a quoted value covers.
    public struct Match: Sendable {
        /// The PCR that was replayed.
        public let pcr: Int
        /// How many entries of the list come up to the one that reached the quoted value, those of other PCRs counted.
        public let coveredCount: Int
        /// The violations among the covered entries, by position in the list.
        public let violations: [Int]
        /// What to store and to go on from.
        public let checkpoint: IMACheckpoint

        /// Whether the quote vouches for an entry of the list that was replayed.
        public func covers(_ entry: IMAEntry) -> Bool { entry.position < coveredCount && entry.pcr == pcr }
    }

    /// What a replay found.
    public enum Outcome: Sendable {
        /// The quoted value was reached.
        case match(Match)
        /// The whole list was replayed and does not contain what was quoted.
        case neverReached
        /// An entry states a SHA-1 digest that is not its data's, in a replay that stands on SHA-1.
        case wrongStatedDigest(position: Int)
        /// The part of the list does not continue what was verified before. Nothing is accepted; the whole list may still be good.
        case sendWholeList(Discontinuity)

        /// What is covered, when the quoted value was reached.
        public var match: Match? {
            if case .match(let match) = self { match } else { nil }
        }
    }

    /// Why a part of a list does not continue a checkpoint.
    public enum Discontinuity: Sendable, Hashable {
        /// The part does not begin with the entry after the last verified one.
        case beginsElsewhere
        /// The checkpoint is about another PCR.
        case otherPCR
        /// The checkpoint has no value for the bank, or one of another mode.
        case otherBank
        /// No entry of the part reaches the quoted value.
        case neverReached
        /// An entry states a SHA-1 digest that is not its data's.
        case wrongStatedDigest(position: Int)
    }

    /// Replays one PCR in one bank until the quoted value is reached.
    ///
    /// Every value is recomputed from the template data. The SHA-1 digest that an entry states is compared with the recomputed one
    /// where SHA-1 is extended (the SHA-1 bank, and ``Mode/paddedSHA1``); in other banks it tells violations, whose 0xFF… no other entry
    /// can stand for, and is not used otherwise. Entries of other PCRs are passed over: another replay may cover them.
    ///
    /// - Parameters:
    ///   - list: The whole list, or the part after the checkpoint.
    ///   - quoted: The value of the PCR in that bank, from an authenticated quote. One of another length is never reached.
    ///   - pcr: The PCR; 10 unless the machine's IMA policy says otherwise.
    ///   - checkpoint: What an earlier match of the same boot returned; `nil` for a whole list.
    public static func match(
        _ list: IMAList, bank: HashAlgorithm, mode: Mode, quoted: [UInt8], pcr: Int = 10,
        from checkpoint: IMACheckpoint? = nil
    ) -> Outcome {
        var start = [UInt8](repeating: 0, count: bank.byteCount)
        if let checkpoint {
            guard checkpoint.pcr == pcr else { return .sendWholeList(.otherPCR) }
            guard let register = checkpoint.registers[bank], register.mode == mode else {
                return .sendWholeList(.otherBank)
            }
            start = register.value
        }
        guard list.firstIndex == checkpoint?.entryCount ?? 0 else { return .sendWholeList(.beginsElsewhere) }
        guard var walk = IMAReplayWalk(list, bank, mode, pcr, startingAt: start) else {
            return checkpoint == nil ? .neverReached : .sendWholeList(.otherBank)
        }
        switch walk.run(to: quoted) {
        case .reached:
            let next = IMACheckpoint(
                pcr: pcr, entryCount: list.firstIndex + walk.position,
                violationCount: (checkpoint?.violationCount ?? 0) + walk.violations.count,
                registers: [bank: IMACheckpoint.Register(mode: mode, value: quoted)])
            return .match(
                Match(pcr: pcr, coveredCount: walk.position, violations: walk.violations, checkpoint: next))
        case .exhausted: return checkpoint == nil ? .neverReached : .sendWholeList(.neverReached)
        case .wrongStatedDigest:
            let position = walk.position
            return checkpoint == nil
                ? .wrongStatedDigest(position: position) : .sendWholeList(.wrongStatedDigest(position: position))
        }
    }
}
