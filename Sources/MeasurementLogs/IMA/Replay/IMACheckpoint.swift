public import Cryptography

/// How far a machine's list was verified: what a verifier stores for each boot, so that the machine may send only what is new.
///
/// Only an ``IMAReplay`` that reached a quoted value makes one. The value of a register is itself a digest of everything before it: a
/// list that goes on from it and reaches a later quote is a list with the same beginning. After a reboot it is worthless: keep it with
/// the reset counter under which it was made.
public struct IMACheckpoint: Sendable, Hashable {
    /// What a PCR held in one bank after the verified entries.
    public struct Register: Sendable, Hashable {
        public let mode: IMAReplay.Mode
        /// As long as the bank's digests.
        public let value: [UInt8]
    }

    /// More entries than any machine writes: no count goes beyond.
    static let maximumEntryCount = 1 << 40

    /// The PCR that was replayed.
    public let pcr: Int
    /// How many entries of the list are verified; the next part begins with the entry of this number.
    public let entryCount: Int
    /// How many violations are among them: those that a machine no longer sends are not forgotten.
    public let violationCount: Int
    /// The value in each bank that was replayed.
    public let registers: [HashAlgorithm: Register]

    init(pcr: Int, entryCount: Int, violationCount: Int, registers: [HashAlgorithm: Register]) {
        self.pcr = pcr
        self.entryCount = entryCount
        self.violationCount = violationCount
        self.registers = registers
    }

    /// One checkpoint of this one's banks and of those of another match of the same list and quote; `nil` when the two are not about
    /// the same entries.
    public func merging(_ other: IMACheckpoint) -> IMACheckpoint? {
        guard pcr == other.pcr, entryCount == other.entryCount, violationCount == other.violationCount else {
            return nil
        }
        var registers = registers
        for (bank, register) in other.registers {
            guard registers[bank] == nil || registers[bank] == register else { return nil }
            registers[bank] = register
        }
        return IMACheckpoint(pcr: pcr, entryCount: entryCount, violationCount: violationCount, registers: registers)
    }
}
