import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

@Suite("Predictions of the next boot")
struct BootPredictionTests {
    static func image(_ kernel: String, _ line: String, _ initrd: String, more: [(String, [UInt8])] = []) throws
        -> PEImage
    {
        let inner = SmallImage(sections: [(".text", Array(kernel.utf8))])
        return try PEImage(
            parsing: SmallImage(
                sections: [
                    (".text", [1]), (".linux", inner.bytes), (".cmdline", Array(line.utf8)),
                    (".initrd", Array(initrd.utf8)),
                ] + more
            ).bytes)
    }

    static func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] } }

    /// A boot of a unified kernel image as firmware, stub and kernel measure it.
    static func boot(_ image: PEImage, skipping: [String] = []) throws -> ReplayedEventLog {
        var log = EventLogBuilder(banks: [.sha256])
        log.add(pcr: 4, .separator, data: [0, 0, 0, 0])
        log.add(pcr: 4, .efiBootServicesApplication, data: [0]) { image.authenticodeDigest($0) }
        for name in PEImage.measuredSections where !skipping.contains(name) {
            guard let content = image.content(ofSection: name) else { continue }
            log.add(pcr: 11, .ipl, data: [0], measuring: Array(name.utf8) + [0])
            log.add(pcr: 11, .ipl, data: [0], measuring: Array(content))
        }
        if let kernel = image.content(ofSection: ".linux") {
            let inner = try PEImage(parsing: Array(kernel))
            log.add(pcr: 4, .efiBootServicesApplication, data: [0]) { inner.authenticodeDigest($0) }
        }
        let line = String(decoding: image.content(ofSection: ".cmdline") ?? [], as: UTF8.self)
        log.add(pcr: 9, .eventTag, data: [0], measuring: Self.utf16(line) + [0, 0])
        log.add(pcr: 9, .eventTag, data: [0], measuring: Array(image.content(ofSection: ".initrd") ?? []))
        return try #require(ReplayedEventLog(try EventLog(parsing: log.bytes), bank: .sha256))
    }

    @Test(
        "A new image gives the PCRs that booting it gives",
        arguments: [
            ("kernel", "quiet", "initrd2"), ("kernel2", "quiet", "initrd"), ("kernel", "loud", "initrd"),
            ("k", "l", "i"),
        ])
    func image(kernel: String, line: String, initrd: String) throws {
        let old = try Self.image("kernel", "quiet", "initrd")
        let new = try Self.image(kernel, line, initrd, more: [(".uname", Array("6.1".utf8))])
        for skipping in [[], [".uname"]] where skipping.isEmpty || old.content(ofSection: ".uname") != nil {
            var prediction = try #require(BootPrediction(try Self.boot(old)))
            #expect(prediction.replaceImage(old, by: new) > 0)
            let next = try Self.boot(new, skipping: skipping)
            for pcr in 0..<24 { #expect(prediction.value(ofPCR: pcr) == next.value(ofPCR: pcr), "PCR \(pcr)") }
            #expect(prediction.changedPCRs.contains(4) && prediction.changedPCRs.contains(11))
        }
    }

    @Test("A stub that is older than a section leaves it out of the next image too")
    func olderStub() throws {
        let uname = (".uname", Array("6.1".utf8)), other = (".uname", Array("6.2".utf8))
        let old = try Self.image("k", "l", "i", more: [uname]), new = try Self.image("k2", "l", "i", more: [other])
        var prediction = try #require(BootPrediction(try Self.boot(old, skipping: [".uname"])))
        #expect(prediction.replaceImage(old, by: new) > 0)
        #expect(prediction.value(ofPCR: 11) == (try Self.boot(new, skipping: [".uname"])).value(ofPCR: 11))
    }

    @Test("An image that did not boot changes nothing")
    func absent() throws {
        let old = try Self.image("kernel", "quiet", "initrd"), other = try Self.image("other", "quiet", "initrd")
        var prediction = try #require(BootPrediction(try Self.boot(old)))
        #expect(prediction.replaceImage(other, by: old) == 0 && prediction.changedPCRs.isEmpty)
        #expect(prediction.replace([1], by: [2], in: [4]) == 0)
    }

    @Test(
        "A command line changed on a real machine moved the PCRs where it was foretold",
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"),
        arguments: [TPM.AlgorithmID.sha256, .sha384])
    func real(bank: TPM.AlgorithmID) throws {
        func replay(_ name: String) throws -> ReplayedEventLog {
            try #require(ReplayedEventLog(try MeasuredBootTests.log("measured-boot/\(name)/eventlog.bin"), bank: bank))
        }
        func line(_ name: String) throws -> String {
            String(decoding: try SharedFixtures.bytes("fixtures/measured-boot/\(name)/cmdline.txt"), as: UTF8.self)
                .filter { $0 != "\n" }
        }
        let next = try replay("uki-cmdline")
        var prediction = try #require(BootPrediction(try replay("uki")))
        #expect(try prediction.replaceCommandLine(line("uki"), by: line("uki-cmdline")) == 2)
        #expect(prediction.changedPCRs == [9, 11])
        for pcr in [9, 11] { #expect(prediction.value(ofPCR: pcr) == next.value(ofPCR: pcr), "PCR \(pcr)") }
        // The image itself is not at hand; its digest in the next log completes the prediction.
        let old = MeasuredBoot(try replay("uki")).bootApplications, new = MeasuredBoot(next).bootApplications
        #expect(prediction.replace(Array(old[0].digest), by: Array(new[0].digest), in: [4]) == 1)
        for pcr in 0..<16 where pcr != 10 {
            #expect(prediction.value(ofPCR: pcr) == next.value(ofPCR: pcr), "PCR \(pcr)")
        }
    }

    @Test("GRUB's command lines and files")
    func grub() throws {
        func boot(_ line: String, _ initrd: String) throws -> ReplayedEventLog {
            var log = EventLogBuilder()
            log.add(pcr: 8, .ipl, data: Array("kernel_cmdline: \(line)\0".utf8), measuring: Array(line.utf8))
            log.add(pcr: 9, .ipl, data: Array("/initrd\0".utf8), measuring: Array(initrd.utf8))
            return try #require(ReplayedEventLog(try EventLog(parsing: log.bytes), bank: .sha256))
        }
        var prediction = try #require(BootPrediction(try boot("/vmlinuz quiet", "one")))
        #expect(prediction.replaceCommand("/vmlinuz quiet", by: "/vmlinuz") == 1)
        #expect(prediction.replaceFile(Array("one".utf8), by: Array("two".utf8)) == 1)
        let next = try boot("/vmlinuz", "two")
        #expect(
            prediction.value(ofPCR: 8) == next.value(ofPCR: 8) && prediction.value(ofPCR: 9) == next.value(ofPCR: 9))
    }
}
