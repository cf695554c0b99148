extension MeasuredBoot {
    /// The PCR into which the running system measures the phases of its boot (UAPI.7; systemd-pcrphase).
    public static let phasePCR = 11
    /// The most phases that are read.
    public static let maximumPhaseCount = 32

    /// The phases that the boot has reached, in their order: the words that the running system measured into PCR 11.
    ///
    /// A word that is not told would open what a later phase must not have. So every event of PCR 11 has to be accounted for: a pair of a
    /// section of the kernel image, or a word that its digest covers. What is called otherwise, or covers nothing that is known, may be
    /// a word that somebody hides. Sections have the names of the specification, each once: who may write to the TPM before the first word
    /// could measure a name of his own, and have a later word pass for its content. So let the first word be measured before anything runs that is
    /// not trusted, as systemd's `enter-initrd` is, and demand it: what follows a word cannot pass for the boot loader's.
    ///
    /// - Parameter replay: The log of which this is the boot.
    /// - Returns: `nil` when something in PCR 11 is not accounted for, or there are more words than are read.
    public func phases(_ replay: ReplayedEventLog) -> [String]? {
        let texts = runtimeTexts.filter { $0.pcr == Self.phasePCR }
        let names = sections.map(\.name)
        guard replay.eventCount(ofPCR: Self.phasePCR) == 2 * names.count + texts.count,
            Set(names).count == names.count, names.allSatisfy(PEImage.measuredSections.contains),
            texts.count <= Self.maximumPhaseCount, texts.allSatisfy({ Self.isPhase($0.text) })
        else { return nil }
        return texts.map(\.text)
    }

    /// Whether a text can be a phase: 1 to 32 of a-z, 0-9 and dash.
    static func isPhase(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
