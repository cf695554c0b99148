/// A known deviation from the specifications that Carnet reads around, and says so.
public struct Quirk: Sendable, Hashable {
    /// Which deviation.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Shim of 2021 and before logs one byte more than it measures, and wrong lengths.
        case shimTrailingByte = "shim-trailing-byte"
        /// GRUB measured the zero that ends a command.
        case grubTrailingZero = "grub-trailing-zero"
        /// The firmware measured a whole EV_EFI_VARIABLE_BOOT instead of the value alone.
        case wholeBootVariable = "whole-boot-variable"
        /// The firmware measured the value of an EV_EFI_VARIABLE_BOOT2 alone instead of the whole variable.
        case bareBootVariable = "bare-boot-variable"
        /// The separator's four bytes are ones.
        case separatorOfOnes = "separator-of-ones"
        /// A command line in UTF-16 was measured with the zero that ends it.
        case commandLineTrailingZero = "command-line-trailing-zero"
    }

    /// Which deviation.
    public let kind: Kind
    /// The event's number in the log.
    public let event: Int
}

/// Something in the log that a boot does not do, or that hides what it did.
public struct Irregularity: Sendable, Hashable {
    /// What is wrong.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A PCR from 0 to 7 has no separator.
        case missingSeparator = "missing-separator"
        /// A PCR has another separator after its first.
        case secondSeparator = "second-separator"
        /// The firmware measured an error: an error's digest, or a separator's type over a digest that no separator has.
        case errorSeparator = "error-separator"
        /// A separator's digest under another type, or over other data than the log shows.
        case mislabelledSeparator = "mislabelled-separator"
        /// The type demands that the digest covers the data, and it does not.
        case changedData = "changed-data"
        /// SecureBoot, PK, KEK, db or dbx was measured again, or after the separator.
        case repeatedVariable = "repeated-variable"
        /// A signature database that cannot be read.
        case unreadableDatabase = "unreadable-database"
        /// Something in PCR 7 that the log does not show.
        case hiddenInPCR7 = "hidden-in-pcr-7"
        /// An event in PCR 0 to 7 after the firmware was left.
        case afterExitBootServices = "after-exit-boot-services"
        /// A section's name in PCR 11 without a content.
        case incompleteSection = "incomplete-section"
        /// A type that nobody measures into this PCR: ``EventType/known(inPCR:)``.
        case alienType = "alien-type"
        /// Data in PCR 7 that its digest covers, and that is of another kind than its type says.
        case misplacedData = "misplaced-data"
        /// The firmware says in PCR 7 that it can be debugged.
        case debugMode = "debug-mode"
        /// The firmware says in PCR 7 that devices could read and write memory while it ran.
        case dmaProtectionDisabled = "dma-protection-disabled"
        /// A boot variable whose digest covers neither the variable nor its value: firmware differs in what it measures of them.
        case unexplainedBootVariable = "unexplained-boot-variable"
    }

    /// What is wrong.
    public let kind: Kind
    /// The PCR.
    public let pcr: Int
    /// The event's number in the log; `nil` for what is missing.
    public let event: Int?

    /// One irregularity.
    public init(kind: Kind, pcr: Int, event: Int?) {
        self.kind = kind
        self.pcr = pcr
        self.event = event
    }
}
