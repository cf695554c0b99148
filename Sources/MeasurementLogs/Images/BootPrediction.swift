internal import Cryptography
public import TPM2

/// The PCRs of the next boot, foretold from this one's log and from files that will replace others.
///
/// An event is replaced where its digest is what the old file causes, never for what the log calls it. What a new file makes firmware
/// or boot loader do besides, as to read other files, cannot be foretold.
public struct BootPrediction: Sendable {
    /// The bank of the prediction.
    public let bank: TPM.AlgorithmID
    private let hash: HashAlgorithm
    private let starts: [[UInt8]]
    private let original: [[[UInt8]]]
    /// For each PCR the digests that will extend it.
    private var digests: [[[UInt8]]]

    /// Everything stays as it was.
    public init?(_ replay: ReplayedEventLog) {
        guard let hash = replay.bank.hash else { return nil }
        self.hash = hash
        bank = replay.bank
        starts = (0..<24).map { replay.startValue(ofPCR: $0) }
        var digests = [[[UInt8]]](repeating: [], count: 24)
        for event in replay.log.events where event.isMeasured {
            guard let digest = event.digest(in: replay.bank) else { continue }
            digests[event.pcr].append(Array(digest))
        }
        self.digests = digests
        original = digests
    }

    /// What a PCR, 0 to 23, will hold.
    public func value(ofPCR pcr: Int) -> [UInt8] {
        var value = starts[pcr]
        for digest in digests[pcr] { hash.extend(&value, with: digest) }
        return value
    }

    /// The PCRs that will hold another value.
    public var changedPCRs: [Int] { (0..<24).filter { digests[$0] != original[$0] } }

    /// The image that firmware or a boot loader runs becomes another: PCR 4; for a unified kernel image also its sections in PCR 11,
    /// and kernel, initrd and command line inside it in PCRs 4 and 9. An image that GRUB reads is in PCR 9 too.
    ///
    /// - Returns: How many events it replaces; 0 when the boot did not run the old image.
    public mutating func replaceImage(_ old: PEImage, by new: PEImage) -> Int {
        var count = replace(old.authenticodeDigest(hash), by: new.authenticodeDigest(hash), in: [4])
        count += replace(hash.hash(old.bytes), by: hash.hash(new.bytes), in: [9])
        guard old.isUnifiedKernelImage, count > 0 else { return count }
        // The stub that ran may be older than some section: what it left out of the old image it leaves out of the new one.
        let names = PEImage.measuredSections.filter { name in
            let pair = old.sectionDigests(hash, of: [name])
            return pair.isEmpty || pair.allSatisfy { digests[11].contains($0) }
        }
        count += replaceRun(
            old.sectionDigests(hash, of: names), by: new.sectionDigests(hash, of: names), in: 11)
        if let old = old.content(ofSection: ".linux").flatMap({ try? PEImage(parsing: Array($0)) }),
            let new = new.content(ofSection: ".linux").flatMap({ try? PEImage(parsing: Array($0)) })
        {
            count += replace(old.authenticodeDigest(hash), by: new.authenticodeDigest(hash), in: [4])
        }
        if let old = old.content(ofSection: ".initrd"), let new = new.content(ofSection: ".initrd") {
            count += replace(hash.hash(old), by: hash.hash(new), in: [9])
        }
        if let old = old.content(ofSection: ".cmdline"), let new = new.content(ofSection: ".cmdline") {
            count += replaceCommandLine(String(decoding: old, as: UTF8.self), by: String(decoding: new, as: UTF8.self))
        }
        return count
    }

    /// A file that GRUB or the kernel's EFI stub reads becomes another: PCR 9.
    ///
    /// - Returns: How many events it replaces.
    public mutating func replaceFile(_ old: [UInt8], by new: [UInt8]) -> Int {
        replace(hash.hash(old), by: hash.hash(new), in: [9])
    }

    /// The command line becomes another: as load options in PCR 9, as systemd's in PCR 12, and in the text of a unified kernel image
    /// in PCR 11. For GRUB, see ``replaceCommand(_:by:)``.
    ///
    /// - Returns: How many events it replaces.
    public mutating func replaceCommandLine(_ old: String, by new: String) -> Int {
        func utf16(_ text: String) -> [UInt8] {
            text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        }
        var count = replace(hash.hash(utf16(old) + [0, 0]), by: hash.hash(utf16(new) + [0, 0]), in: [9, 12])
        count += replace(hash.hash(utf16(old)), by: hash.hash(utf16(new)), in: [9, 12])
        count += replace(hash.hash(Array(old.utf8)), by: hash.hash(Array(new.utf8)), in: [11])
        return count
    }

    /// A command or command line that GRUB measures becomes another, the whole text without its label: PCR 8.
    ///
    /// - Returns: How many events it replaces.
    public mutating func replaceCommand(_ old: String, by new: String) -> Int {
        replace(hash.hash(Array(old.utf8)), by: hash.hash(Array(new.utf8)), in: [8])
            + replace(hash.hash(Array(old.utf8) + [0]), by: hash.hash(Array(new.utf8) + [0]), in: [8])
    }

    /// What had one digest has another, wherever it is in these PCRs.
    ///
    /// - Returns: How many events it replaces.
    public mutating func replace(_ old: [UInt8], by new: [UInt8], in pcrs: [Int]) -> Int {
        guard new.count == hash.byteCount else { return 0 }
        var count = 0
        for pcr in pcrs where digests.indices.contains(pcr) {
            for index in digests[pcr].indices where digests[pcr][index] == old {
                digests[pcr][index] = new
                count += 1
            }
        }
        return count
    }

    /// The first place in a PCR where the old digests follow one another has the new ones, of any number.
    ///
    /// - Returns: How many events it replaces; 0 when the old digests do not stand together, or a new one has another length.
    public mutating func replaceRun(_ old: [[UInt8]], by new: [[UInt8]], in pcr: Int) -> Int {
        guard digests.indices.contains(pcr), !old.isEmpty, old.count <= digests[pcr].count,
            new.allSatisfy({ $0.count == hash.byteCount })
        else { return 0 }
        for start in 0...(digests[pcr].count - old.count)
        where digests[pcr][start..<(start + old.count)].elementsEqual(old) {
            digests[pcr].replaceSubrange(start..<(start + old.count), with: new)
            return old.count
        }
        return 0
    }
}
