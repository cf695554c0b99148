/// Which phases of its boot a machine must have reached, and which not: the words that the running system measured into PCR 11, as
/// systemd-pcrphase does.
public struct PhaseExpectation: Sendable, Hashable {
    /// Words that must have been measured.
    public var reached: Set<String> = []
    /// Words that must not have been.
    public var notReached: Set<String> = []

    /// Nothing is demanded.
    public init() {}

    /// Whether nothing is demanded.
    public var isEmpty: Bool { reached.isEmpty && notReached.isEmpty }

    /// Why a machine's phases are not these, in a sentence; `nil` when they are.
    ///
    /// - Parameter phases: The words in their order; `nil` where the passport does not say.
    public func unmet(by phases: [String]?) -> String? {
        guard !isEmpty else { return nil }
        guard let phases else {
            return
                "The passport does not say which phases the boot has reached: the verifier's policy has to demand the runtime log and quote PCR 11."
        }
        let found = Set(phases)
        if let word = reached.subtracting(found).min() { return "The boot has not reached the phase \(word)." }
        if let word = notReached.intersection(found).min() { return "The boot is past the phase \(word)." }
        return nil
    }

    /// Whether a word can be a phase: 1 to 32 of a-z, 0-9 and dash.
    public static func isPhase(_ word: String) -> Bool {
        (1...32).contains(word.utf8.count)
            && word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
