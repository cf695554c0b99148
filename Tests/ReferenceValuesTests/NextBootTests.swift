import Cryptography
import Fixtures
import MeasurementLogs
import ReferenceValues
import TPM2
import Testing

@Suite("The PCRs of the next boot")
struct NextBootTests {
    private static func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] } }
    private static let separator: [UInt8] = [0, 0, 0, 0]

    /// An event about an initial RAM disk or load options, as the kernel's EFI stub labels it (EV_EVENT_TAG).
    private static func tagged(_ tag: [UInt8], _ text: String) -> [UInt8] {
        tag + [UInt8(text.utf8.count + 1), 0, 0, 0] + Array(text.utf8) + [0]
    }

    /// A boot of a unified kernel image, its kernel inside measured as without Secure Boot.
    private static func boot(unified bytes: [UInt8], skipping: [String] = []) throws -> ReplayedEventLog {
        let image = try PEImage(parsing: bytes)
        var log = EventLogBuilder(banks: [.sha256])
        log.add(pcr: 4, .separator, data: separator)
        log.add(pcr: 4, .efiBootServicesApplication, data: [0]) { image.authenticodeDigest($0) }
        for name in PEImage.measuredSections where !skipping.contains(name) {
            guard let content = image.content(ofSection: name) else { continue }
            log.add(pcr: 11, .ipl, data: utf16(name) + [0, 0], measuring: Array(name.utf8) + [0])
            log.add(pcr: 11, .ipl, data: utf16(name) + [0, 0], measuring: Array(content))
        }
        let kernel = try PEImage(parsing: Array(try #require(image.content(ofSection: ".linux"))))
        log.add(pcr: 4, .efiBootServicesApplication, data: [0]) { kernel.authenticodeDigest($0) }
        let line = String(decoding: image.content(ofSection: ".cmdline") ?? [], as: UTF8.self)
        log.add(
            pcr: 9, .eventTag, data: tagged([0xED, 0x22, 0x3B, 0x8F], "LOADED_IMAGE::LoadOptions"),
            measuring: utf16(line) + [0, 0])
        log.add(
            pcr: 9, .eventTag, data: tagged([0xEC, 0x22, 0x3B, 0x8F], "Linux initrd"),
            measuring: Array(image.content(ofSection: ".initrd") ?? []))
        return try #require(ReplayedEventLog(try EventLog(parsing: log.bytes), bank: .sha256))
    }

    private func expectSame(_ prediction: NextBoot, _ next: ReplayedEventLog, except: Set<Int> = []) {
        for pcr in 0..<24 where !except.contains(pcr) {
            #expect(prediction.value(ofPCR: pcr) == next.value(ofPCR: pcr), "PCR \(pcr)")
        }
    }

    @Test(
        "A new unified kernel image gives the PCRs that booting it gives, with and without the old one",
        arguments: [("k", "quiet", "j"), ("l", "quiet", "i"), ("k", "loud", "i"), ("a", "b", "c")])
    func unified(kernel: String, line: String, initrd: String) throws {
        let old = MadeUpImage.unified("k", "quiet", "i"), new = MadeUpImage.unified(kernel, line, initrd)
        for hasOld in [false, true] {
            var prediction = try #require(NextBoot(after: try Self.boot(unified: old)))
            try prediction.replaceUnifiedKernelImage(
                by: PEImage(parsing: new), insteadOf: hasOld ? PEImage(parsing: old) : nil)
            expectSame(prediction, try Self.boot(unified: new))
            #expect(prediction.notes.isEmpty)
            #expect(Set(prediction.changes.map(\.pcr)) == Set(prediction.changedPCRs))
            let event = prediction.changes.first { $0.what == "unified kernel image" }
            #expect(event?.pcr == 4 && event?.event == 1)
        }
    }

    @Test("Sections that the stub does not know are told by the old image, or noted")
    func olderStub() throws {
        let old = MadeUpImage.unified("k", "q", "i", more: [(".uname", [1])])
        let new = MadeUpImage.unified("l", "q", "i", more: [(".uname", [2]), (".osrel", [3])])
        let last = try Self.boot(unified: old, skipping: [".uname"])
        var told = try #require(NextBoot(after: last))
        try told.replaceUnifiedKernelImage(by: PEImage(parsing: new), insteadOf: PEImage(parsing: old))
        expectSame(told, try Self.boot(unified: new, skipping: [".uname"]))
        var untold = try #require(NextBoot(after: last))
        try untold.replaceUnifiedKernelImage(by: PEImage(parsing: new))
        expectSame(untold, try Self.boot(unified: new, skipping: [".uname", ".osrel"]))
        #expect(untold.notes.count == 1 && untold.notes[0].contains(".osrel, .uname"))
    }

    @Test("A section that is no longer there")
    func lessSections() throws {
        let old = MadeUpImage.unified("k", "q", "i", more: [(".osrel", [1])]), new = MadeUpImage.unified("k", "q", "i")
        var prediction = try #require(NextBoot(after: try Self.boot(unified: old)))
        try prediction.replaceUnifiedKernelImage(by: PEImage(parsing: new))
        expectSame(prediction, try Self.boot(unified: new))
        #expect(prediction.changes.contains { $0.what == "section .osrel" && $0.new == nil })
    }

    @Test("Nothing changes for the same files, and what the log does not show cannot be replaced")
    func nothing() throws {
        let old = MadeUpImage.unified("k", "q", "i"), boot = try Self.boot(unified: old)
        var prediction = try #require(NextBoot(after: boot))
        try prediction.replaceUnifiedKernelImage(by: PEImage(parsing: old))
        try prediction.replaceCommandLine(by: "q")
        try prediction.replaceInitrd(by: Array("i".utf8))
        #expect(prediction.changedPCRs.isEmpty && prediction.changes.isEmpty)
        let kernel = MadeUpImage.kernel("k"), other = try PEImage(parsing: MadeUpImage.unified("x", "y", "z"))
        #expect(throws: NextBootError.self) { try prediction.replaceKernel(by: kernel) }
        #expect(throws: NextBootError.self) { try prediction.replaceImage(named: "shimx64.efi", by: other) }
        #expect(throws: NextBootError.self) { try prediction.replaceUnifiedKernelImage(by: PEImage(parsing: kernel)) }
        #expect(throws: NextBootError.self) { try prediction.replaceUnifiedKernelImage(by: other, insteadOf: other) }
        let empty = try #require(
            ReplayedEventLog(try EventLog(parsing: EventLogBuilder(banks: [.sha256]).bytes), bank: .sha256))
        var none = try #require(NextBoot(after: empty))
        #expect(throws: NextBootError.self) { try none.replaceKernel(by: kernel) }
        #expect(throws: NextBootError.self) { try none.replaceInitrd(by: [1]) }
        #expect(throws: NextBootError.self) { try none.replaceCommandLine(by: "x") }
        #expect(throws: NextBootError.self) { try none.replaceUnifiedKernelImage(by: other) }
    }

    // MARK: Real machines

    private static let available: Bool = SharedFixtures.areAvailable

    private func replay(_ name: String, _ bank: TPM.AlgorithmID = .sha256) throws -> ReplayedEventLog {
        let log = try EventLog(parsing: SharedFixtures.bytes("fixtures/measured-boot/\(name)/eventlog.bin"))
        return try #require(ReplayedEventLog(log, bank: bank))
    }

    private func line(_ name: String) throws -> String {
        String(decoding: try SharedFixtures.bytes("fixtures/measured-boot/\(name)/cmdline.txt"), as: UTF8.self)
            .filter { $0 != "\n" }
    }

    @Test(
        "A command line that changed on a real machine moved PCRs 9 and 11 to where it was foretold",
        .enabled(if: available, "\(SharedFixtures.skipReason)"), arguments: [TPM.AlgorithmID.sha256, .sha384])
    func realCommandLine(bank: TPM.AlgorithmID) throws {
        var prediction = try #require(NextBoot(after: try replay("uki", bank)))
        try prediction.replaceCommandLine(by: line("uki-cmdline"))
        #expect(prediction.changedPCRs == [9, 11] && prediction.notes.contains { $0.contains("--uki") })
        // The image moves PCR 4, and it is not at hand.
        expectSame(prediction, try replay("uki-cmdline", bank), except: [4])
        #expect(prediction.changes.map(\.pcr).sorted() == [9, 11])
    }

    @Test(
        "The same command line changes nothing", .enabled(if: available, "\(SharedFixtures.skipReason)"),
        arguments: ["uki", "uki-sb", "direct"])
    func realSame(name: String) throws {
        var prediction = try #require(NextBoot(after: try replay(name)))
        try prediction.replaceCommandLine(by: line(name))
        #expect(prediction.changedPCRs.isEmpty)
    }

    @Test(
        "GRUB on a real machine: kernel, initrd, command line and shim are found where they are",
        .enabled(if: available, "\(SharedFixtures.skipReason)"))
    func realGRUB() throws {
        let last = try replay("grub-sb"), kernel = MadeUpImage.kernel("new")
        var prediction = try #require(NextBoot(after: last))
        try prediction.replaceKernel(by: kernel)
        // shim let GRUB run the kernel, which is there twice.
        #expect(prediction.changes.filter { $0.pcr == 4 }.count == 2 && prediction.changedPCRs == [4, 9])
        try prediction.replaceImage(named: "GRUBX64.EFI", by: PEImage(parsing: kernel))
        #expect(prediction.changes.filter { $0.pcr == 4 }.count == 3)
        try prediction.replaceCommandLine(by: "quiet")
        #expect(prediction.changedPCRs.contains(8))
        let texts = prediction.changes.filter { $0.pcr == 8 }.map(\.untrustedSummary)
        #expect(texts.count >= 2 && texts.allSatisfy { $0.contains("vmlinuz") }, "\(texts)")
        try prediction.replaceInitrd(by: [1, 2, 3])
        #expect(prediction.changes.contains { $0.what == "initrd" && $0.pcr == 9 })
        var same = try #require(NextBoot(after: last))
        let arguments = try line("grub-sb").split(separator: " ").dropFirst().joined(separator: " ")
        try same.replaceCommandLine(by: arguments)
        #expect(same.changedPCRs.isEmpty)
    }
}
