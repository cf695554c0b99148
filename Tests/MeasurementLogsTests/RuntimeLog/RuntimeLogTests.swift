import Cryptography
import Fixtures
import MeasurementLogs
import StrictEncoding
import TPM2
import Testing

/// Records are made as systemd's `tpm2_userspace_log` and `measurement_log_append` write them.
@Suite("systemd's log")
struct RuntimeLogTests {
    static let boot = "4691595be6a345f1833cc75fab63e475"

    /// One record; `digests` of the text unless something else is measured.
    static func record(
        _ register: String = "\"pcr\":11", _ text: String? = "enter-initrd", kind: String? = "phase",
        measuring: [UInt8]? = nil, banks: [HashAlgorithm] = [.sha256, .sha384], boot: String = boot, prefix: String = ""
    ) -> String {
        let digests = banks.map { bank in
            "{\"hashAlg\":\"\(TPM.AlgorithmID(bank))\",\"digest\":\"\(bank.hash(measuring ?? Array((text ?? "").utf8)).hex)\"}"
        }
        let content =
            [
                text.map { "\"string\":\"\($0)\"" }, "\"bootId\":\"\(boot)\"", "\"timestamp\":17",
                kind.map { "\"eventType\":\"\($0)\"" },
            ]
            .compactMap { $0 }
        return
            "{\(prefix)\(register),\"digests\":[\(digests.joined(separator: ","))],\"content_type\":\"systemd\",\"content\":{\(content.joined(separator: ","))}}"
    }

    static func bytes(_ records: [String]) -> [UInt8] { Array(records.map { "\u{1E}\($0)\n" }.joined().utf8) }

    static let usual = [
        record("\"pcr\":9", "nvpcr-init:hardware:0x1d10200:000bff27", kind: "nvpcr-init"),
        record("\"pcr\":9", "nvpcr-separator", kind: "nvpcr-separator"), record(),
        record("\"nv_index\":30474752", "product-id:1", kind: "product-id"), record("\"pcr\":11", "leave-initrd"),
        record("\"pcr\":15", "cryptsetup:root:1", kind: "volume-key", measuring: [1, 2, 3]),
        record("\"pcr\":15", "machine-id:4691595be6a345f1833cc75fab63e475", kind: "machine-id"),
        record("\"pcr\":13", "sysext", kind: nil), record("\"pcr\":12", "imds", kind: "imds-userdata"),
    ]

    @Test("Records are read in their order, with registers, texts and kinds")
    func reads() throws {
        let log = try RuntimeLog(parsing: Self.bytes(Self.usual))
        #expect(log.records.count == 9 && log.pcrRecords.count == 8)
        #expect(log.records[3].register == .nvIndex(0x1D1_0200))
        #expect(log.records[2].untrustedText == "enter-initrd" && log.records[2].untrustedKind == "phase")
        #expect(log.records[5].isKeyed && log.records[0].untrustedTimestamp == 17)
        #expect(log.measures(in: .sha384) && !log.measures(in: .sha512))
    }

    @Test("Behind the firmware's log they explain PCRs 9, 11, 12, 13 and 15 as the firmware's own events do")
    func splices() throws {
        let firmware = try EventLog(parsing: EventLogTests.sample().bytes)
        let log = try firmware.appending(RuntimeLog(parsing: Self.bytes(Self.usual)))
        #expect(log.count == firmware.count + 8 && log.firmwareCount == firmware.count)
        for bank in [HashAlgorithm.sha256, .sha384] {
            let algorithm = TPM.AlgorithmID(bank)
            let replay = try #require(ReplayedEventLog(log, bank: algorithm))
            let before = try #require(ReplayedEventLog(firmware, bank: algorithm))
            var phases = before.value(ofPCR: 11)
            for text in ["enter-initrd", "leave-initrd"] { bank.extend(&phases, with: bank.hash(Array(text.utf8))) }
            #expect(replay.value(ofPCR: 11) == phases && replay.eventCount(ofPCR: 15) == 2)
            #expect(replay.value(ofPCR: 7) == before.value(ofPCR: 7))
            #expect(replay.secureBoot == before.secureBoot)
            let leaving = replay.firstEvent(leaving: [before.value(ofPCR: 11)], pcr: 11)
            #expect(leaving?.isRuntime == true && leaving?.runtimeRecord?.untrustedText == "enter-initrd")
            #expect(leaving?.summary(in: algorithm) == "runtime measurement “enter-initrd”")
            let last = try #require(replay.lastEvent(ofPCR: 15))
            #expect(last.binding(in: algorithm) == .bound && last.index == log.count - 3)
            var values: [[UInt8]] = []
            replay.walk(pcr: 9) { _, value in
                values.append(value)
                return true
            }
            #expect(values.count == 2 && values.last == replay.value(ofPCR: 9))
        }
    }

    @Test("The typed view tells texts that the digest covers, keyed digests, and changed texts")
    func typed() throws {
        let firmware = try EventLog(parsing: BootAttackTests.good().bytes)
        let lie = Self.record("\"pcr\":15", "machine-id:0", kind: "machine-id", measuring: [9])
        let log = try firmware.appending(RuntimeLog(parsing: Self.bytes(Self.usual + [lie])))
        let boot = MeasuredBoot(try #require(ReplayedEventLog(log, bank: .sha256)))
        #expect(boot.runtimeTexts.filter { $0.pcr == 11 }.map(\.text) == ["enter-initrd", "leave-initrd"])
        #expect(boot.runtimeTexts.count == 7 && boot.runtimeTexts.last?.text == "imds")
        #expect(boot.objects.suffix(2).map(\.untrustedName) == ["cryptsetup:root:1", "machine-id:0"])
        #expect(boot.irregularities == [.init(kind: .changedData, pcr: 15, event: log.count - 1)])
        #expect(log[log.count - 1].binding(in: .sha256) == .mismatch)
        #expect(log.events.first { $0.runtimeRecord?.isKeyed == true }?.binding(in: .sha256) == .unbound)
    }

    @Test("No event of firmware, boot loaders, IMA or a dynamic launch hides in it", arguments: 0..<24)
    func foreign(pcr: Int) throws {
        let firmware = try EventLog(parsing: EventLogTests.sample().bytes)
        let runtime = try RuntimeLog(parsing: Self.bytes([Self.record(), Self.record("\"pcr\":\(pcr)")]))
        if pcr <= 8 || pcr == 10 || pcr == 14 || (17...22).contains(pcr) {
            #expect(throws: RuntimeLogError.foreignPCR(record: 1, pcr: pcr)) { try firmware.appending(runtime) }
        } else if pcr == 9 {
            #expect(throws: RuntimeLogError.foreignRecord(record: 1, pcr: 9)) { try firmware.appending(runtime) }
        } else {
            let log = try firmware.appending(runtime)
            #expect(throws: RuntimeLogError.alreadySpliced) { try log.appending(runtime) }
        }
    }

    @Test("A bank that systemd did not measure in throughout can no longer be replayed")
    func banks() throws {
        let firmware = try EventLog(parsing: EventLogTests.sample().bytes)
        let runtime = try RuntimeLog(parsing: Self.bytes([Self.record(), Self.record(banks: [.sha256])]))
        let log = try firmware.appending(runtime)
        #expect(ReplayedEventLog(log, bank: .sha256) != nil && ReplayedEventLog(log, bank: .sha384) == nil)
        #expect(log[0].digest(in: .sha384) == nil)
        // An NV index has one bank of its own, and none to do with PCRs.
        let index = try RuntimeLog(parsing: Self.bytes([Self.record("\"nv_index\":30474752", banks: [.sha256])]))
        #expect(ReplayedEventLog(try firmware.appending(index), bank: .sha384) != nil)
    }

    @Test("Records dropped, doubled or exchanged change the PCR")
    func moved() throws {
        let firmware = try EventLog(parsing: EventLogTests.sample().bytes)
        func value(_ records: [String]) throws -> [UInt8]? {
            let log = try firmware.appending(RuntimeLog(parsing: Self.bytes(records)))
            return ReplayedEventLog(log, bank: .sha256)?.value(ofPCR: 11)
        }
        let phases = ["enter-initrd", "leave-initrd", "ready"].map { Self.record("\"pcr\":11", $0) }
        let good = try value(phases)
        for spoiled in [
            Array(phases.dropLast()), Array(phases.dropFirst()), phases + [phases[2]], phases.reversed(),
            [phases[0], phases[2], phases[1]],
        ] { #expect(try value(spoiled) != good) }
    }

    static let plain = record()
    static func changed(_ old: String, _ new: String) -> [UInt8] {
        bytes([plain.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)])
    }
    static let digest = HashAlgorithm.sha256.hash(Array("enter-initrd".utf8)).hex

    static let spoiled: [(String, [UInt8])] = [
        ("nothing", []), ("no separator", Array(plain.utf8)), ("a separator alone", [0x1E]),
        ("two separators", [0x1E] + bytes([plain])), ("a separator at the end", bytes([plain]) + [0x1E]),
        ("text before it", Array(" ".utf8) + bytes([plain])), ("text behind it", bytes([plain]) + Array("x".utf8)),
        ("two texts in one record", bytes([plain + plain])), ("an array", bytes(["[]"])), ("a number", bytes(["1"])),
        ("a record cut short", bytes([String(plain.dropLast())])), ("a zero byte", bytes([plain]) + [0]),
        ("bad UTF-8", [0x1E, 0x7B, 0xFF, 0x7D]), ("no register", changed("\"pcr\":11,", "")),
        ("two registers", changed("\"pcr\":11", "\"pcr\":11,\"nv_index\":30474752")),
        ("PCR 24", changed("\"pcr\":11", "\"pcr\":24")), ("PCR -1", changed("\"pcr\":11", "\"pcr\":-1")),
        ("a PCR that is text", changed("\"pcr\":11", "\"pcr\":\"11\"")),
        ("a PCR with a fraction", changed("\"pcr\":11", "\"pcr\":11.0")),
        ("a PCR twice", changed("\"pcr\":11", "\"pcr\":11,\"pcr\":12")),
        ("an NV index that is a key", changed("\"pcr\":11", "\"nv_index\":2164260864")),
        ("an unknown member", changed("\"pcr\":11", "\"pcr\":11,\"rtmr\":2")),
        ("another content type", changed("\"systemd\"", "\"ima_template\"")),
        ("no content type", changed("\"content_type\":\"systemd\",", "")),
        ("no content", changed(",\"content\":{", ",\"contents\":{")),
        (
            "content that is text",
            changed(
                "\"content\":{\"string\":\"enter-initrd\",\"bootId\":\"\(boot)\",\"timestamp\":17,\"eventType\":\"phase\"}",
                "\"content\":\"\"")
        ),
        ("a text that is a number", changed("\"string\":\"enter-initrd\"", "\"string\":1")),
        ("a kind that is a number", changed("\"eventType\":\"phase\"", "\"eventType\":1")),
        ("a time before the boot", changed("\"timestamp\":17", "\"timestamp\":-1")),
        ("no digests", changed("\"digests\":[", "\"digest\":[")),
        ("an unknown algorithm", changed("\"sha256\"", "\"sha3\"")),
        ("an algorithm twice", changed("\"sha384\"", "\"sha256\"")),
        ("a digest of one bank twice", bytes([record(banks: [.sha256, .sha256])])),
        ("empty digests", bytes([record(banks: [])])),
        ("a digest that is short", changed(digest, String(digest.dropLast(2)))),
        ("a digest that is long", changed(digest, digest + "00")),
        ("a digest that is none", changed(digest, "zz" + digest.dropFirst(2))),
        ("a digest with more", changed("\"hashAlg\":\"sha256\",", "\"hashAlg\":\"sha256\",\"x\":1,")),
        ("records of two boots", bytes([plain, record(boot: "00000000000000000000000000000000")])),
        ("numbers with a gap", bytes([record(prefix: "\"recnum\":0,"), record(prefix: "\"recnum\":2,")])),
        ("the same number twice", bytes([record(prefix: "\"recnum\":1,"), record(prefix: "\"recnum\":1,")])),
        ("numbers that begin late", bytes([plain, record(prefix: "\"recnum\":1,")])),
        ("numbers that end early", bytes([record(prefix: "\"recnum\":1,"), plain])),
        ("a negative number", bytes([record(prefix: "\"recnum\":-1,")])),
        ("depth", bytes([String(repeating: "[", count: 100_000)])),
        ("a record of 64 KiB", bytes([record("\"pcr\":11", String(repeating: "x", count: 65_536))])),
        ("too many records", bytes([String](repeating: "{}", count: 5000))),
        ("64 MiB", [UInt8](repeating: 0x1E, count: 64 << 20)),
    ]

    @Test("What systemd does not write is refused", arguments: spoiled.indices)
    func refused(index: Int) {
        let (what, bytes) = Self.spoiled[index]
        #expect(throws: RuntimeLogError.self, "\(what)") { try RuntimeLog(parsing: bytes) }
    }

    @Test("Numbers without a gap, no newline at the end, and a record without text are read")
    func accepted() throws {
        let numbered = [5, 6].map { Self.record(prefix: "\"recnum\":\($0),") }
        #expect(try RuntimeLog(parsing: Self.bytes(numbered)).records.count == 2)
        #expect(try RuntimeLog(parsing: Self.bytes([Self.plain]).dropLast()).records.count == 1)
        #expect(try RuntimeLog(parsing: Self.bytes([Self.record("\"pcr\":11", nil, kind: nil)])).records.count == 1)
    }

    @Test("A changed byte anywhere never traps")
    func mutations() throws {
        let bytes = Self.bytes(Self.usual)
        let firmware = try EventLog(parsing: EventLogTests.sample().bytes)
        for offset in bytes.indices {
            var changed = bytes
            changed[offset] ^= 1 << UInt8(offset % 8)
            guard let log = try? firmware.appending(RuntimeLog(parsing: changed)) else { continue }
            if let replay = ReplayedEventLog(log, bank: .sha256) { _ = MeasuredBoot(replay) }
        }
    }
}

extension RuntimeLog {
    fileprivate init(parsing bytes: ArraySlice<UInt8>) throws(RuntimeLogError) { try self.init(parsing: Array(bytes)) }
}
