import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// Where systemd's log ends and the boot's begins, and where any log ends.
@Suite("The borders of systemd's log")
struct RuntimeLogBorderTests {
    private typealias Records = RuntimeLogTests

    private func error(_ records: [String]) -> RuntimeLogError? {
        do throws(RuntimeLogError) {
            let firmware = try? EventLog(parsing: EventLogTests.sample().bytes)
            _ = try firmware?.appending(RuntimeLog(parsing: Records.bytes(records)))
            return nil
        } catch { return error }
    }

    @Test("4 MiB and 4,096 records are read, and not one more of either")
    func bounds() throws {
        let record = Records.record()
        func padded(to count: Int) -> [UInt8] {
            [0x1E] + Array(record.utf8) + [UInt8](repeating: 0x20, count: count - 1 - record.utf8.count)
        }
        let one = padded(to: RuntimeLog.maximumByteCount / RuntimeLog.maximumRecordCount)
        let full = [[UInt8]](repeating: one, count: RuntimeLog.maximumRecordCount).flatMap(\.self)
        #expect(full.count == RuntimeLog.maximumByteCount && full.count == 4 << 20)
        #expect(try RuntimeLog(parsing: full).records.count == 4096)
        #expect(throws: RuntimeLogError.tooLarge("4194305 bytes; at most 4194304 are read")) {
            try RuntimeLog(parsing: full + [0x0A])
        }
        let many = [String](repeating: record, count: RuntimeLog.maximumRecordCount + 1)
        #expect(throws: RuntimeLogError.tooLarge("more than 4096 records")) {
            try RuntimeLog(parsing: Records.bytes(many))
        }
        #expect(try RuntimeLog(parsing: padded(to: (64 << 10) + 1)).records.count == 1)
        #expect(throws: RuntimeLogError.self) { try RuntimeLog(parsing: padded(to: (64 << 10) + 2)) }
    }

    @Test("Into PCR 9 systemd measures the initialisation of NvPCRs, and nothing else is read there")
    func files() {
        let index = "nvpcr-init:hardware:0x1d10200:000bff27", register = "\"pcr\":9"
        #expect(error([Records.record(register, index), Records.record(register, "nvpcr-separator")]) == nil)
        for text in [
            "set timeout=0\\nlinux /vmlinuz init=/bin/sh\\n", "", "nvpcr-separator ", "nvpcr-separato", "nvpcr",
            "nvpcr-init:x\\nlinux /vmlinuz", "nvpcr-init:x;boot", "nvpcr-init:$x", "nvpcr-init:x y", "enter-initrd",
            "nvpcr-init:\u{E9}",
        ] { #expect(error([Records.record(register, text)]) == .foreignRecord(record: 0, pcr: 9), "\(text)") }
        #expect(error([Records.record(register, nil)]) == .foreignRecord(record: 0, pcr: 9))
        // The text is systemd's, and the digest is not of the text; a keyed digest has no place here.
        for kind in ["nvpcr-init", "volume-key", "credential"] {
            let lie = Records.record(register, index, kind: kind, measuring: Array("grub.cfg".utf8))
            #expect(error([Records.record(), lie]) == .foreignRecord(record: 1, pcr: 9))
        }
    }

    @Test("systemd's separator closes the PCRs that it closes, with this word alone", arguments: 0..<24)
    func separator(pcr: Int) throws {
        let register = "\"pcr\":\(pcr)", word = Records.record(register, "os-separator", kind: "os-separator")
        let isClosed = pcr < 8 || pcr == 9 || (12...14).contains(pcr), isFree = [11, 15, 16, 23].contains(pcr)
        #expect((error([word]) == nil) == (isClosed || isFree))
        guard isClosed, pcr != 12, pcr != 13 else { return }
        for lie in [
            Records.record(register, "os-separator "), Records.record(register, "os-separato"),
            Records.record(register, "os-separator", measuring: [1]),
            Records.record(register, "x", measuring: Array("os-separator".utf8)),
            Records.record(register, nil, measuring: Array("os-separator".utf8)),
        ] { #expect(error([lie]) != nil) }
        let digest = HashAlgorithm.sha384.hash(Array("os-separator".utf8)).hex
        #expect(error([word.replacing(digest, with: HashAlgorithm.sha384.hash([1]).hex)]) != nil)
        let firmware = try EventLog(parsing: EventLogTests.sample().bytes)
        let log = try firmware.appending(RuntimeLog(parsing: Records.bytes([word])))
        var value = try #require(ReplayedEventLog(firmware, bank: .sha256)).value(ofPCR: pcr)
        HashAlgorithm.sha256.extend(&value, with: HashAlgorithm.sha256.hash(Array("os-separator".utf8)))
        let replay = try #require(ReplayedEventLog(log, bank: .sha256))
        #expect(replay.value(ofPCR: pcr) == value && MeasuredBoot(replay).runtimeTexts.map(\.text) == ["os-separator"])
    }

    @Test("A lie in one bank is a lie")
    func banks() {
        let good = Records.record("\"pcr\":9", "nvpcr-separator")
        for bank in [HashAlgorithm.sha256, .sha384] {
            let digest = bank.hash(Array("nvpcr-separator".utf8)).hex, other = bank.hash([1]).hex
            #expect(error([good.replacing(digest, with: other)]) == .foreignRecord(record: 0, pcr: 9))
        }
    }

    @Test("What a boot measures into PCR 11 and 12 is not a text that a record can have")
    func sections() throws {
        let utf16 = "init=/bin/sh".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        for (pcr, measured) in [(11, Array(".cmdline\0".utf8)), (12, utf16)] {
            let text = measured.map { $0 == 0 ? "\\u0000" : String(UnicodeScalar($0)) }.joined()
            let record = Records.record("\"pcr\":\(pcr)", text, measuring: measured)
            #expect(throws: RuntimeLogError.self) { try RuntimeLog(parsing: Records.bytes([record])) }
            // With another text it is an object, and seen.
            let other = Records.record("\"pcr\":\(pcr)", "ready", measuring: measured)
            let log = try EventLog(parsing: EventLogTests.sample().bytes).appending(
                RuntimeLog(parsing: Records.bytes([other])))
            let boot = MeasuredBoot(try #require(ReplayedEventLog(log, bank: .sha256)))
            #expect(boot.runtimeTexts.isEmpty)
            #expect(boot.objects.last?.digest.elementsEqual(HashAlgorithm.sha256.hash(measured)) == true)
        }
    }

    @Test("A section's name whose content went into the running system's log is seen as an object")
    func torn() throws {
        var firmware = EventLogBuilder(banks: [.sha256])
        firmware.add(pcr: 11, .ipl, data: Array(".cmdline\0".utf8))
        let record = Records.record("\"pcr\":11", "init=/bin/sh", banks: [.sha256])
        let log = try EventLog(parsing: firmware.bytes).appending(RuntimeLog(parsing: Records.bytes([record])))
        let boot = MeasuredBoot(try #require(ReplayedEventLog(log, bank: .sha256)))
        #expect(boot.sections.isEmpty && boot.runtimeTexts.map(\.text) == ["init=/bin/sh"])
        #expect(boot.objects.filter { $0.pcr == 11 }.map(\.event) == [0])
        #expect(boot.irregularities.contains { $0.kind == .incompleteSection && $0.pcr == 11 })
    }
}
