import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// The cast: `good` is a boot as firmware, shim, GRUB and systemd-stub log it. Each test spoils it in one way.
@Suite("What attackers do to logs")
struct BootAttackTests {
    static let names = ["SecureBoot", "PK", "KEK", "db", "dbx"]

    static func vendor(_ name: String) -> [UInt8] {
        name.hasPrefix("db") ? GUID.imageSecurityDatabase.bytes : UEFIVariable.globalVendor
    }

    static func value(_ name: String) -> [UInt8] {
        switch name {
        case "SecureBoot": [1]
        case "dbx": SignatureListTests.list(SignatureListTests.sha256, [SignatureListTests.hash(1)])
        default: SignatureListTests.list(SignatureListTests.x509, [SignatureListTests.certificate])
        }
    }

    static func good(
        separators: [Int] = Array(0..<8), _ change: (inout EventLogBuilder) -> Void = { _ in }
    ) -> EventLogBuilder {
        var log = EventLogBuilder()
        log.add(pcr: 0, .sCRTMVersion, data: [0x31, 0, 0x30, 0, 0, 0])
        log.add(pcr: 0, .efiPlatformFirmwareBlob, data: [UInt8](repeating: 1, count: 16), measuring: [9])
        for name in names {
            log.addVariable(pcr: 7, .efiVariableDriverConfig, vendor: vendor(name), name: name, value: value(name))
        }
        log.add(pcr: 4, .efiAction, data: Array("Calling EFI Application from Boot Option".utf8))
        for pcr in separators { log.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
        log.addVariable(
            pcr: 7, .efiVariableAuthority, vendor: vendor("db"), name: "db", value: SignatureListTests.certificate)
        log.addImage(pcr: 4, path: "\\EFI\\BOOT\\BOOTX64.EFI", image: Array("image".utf8))
        for name in [".linux", ".cmdline"] {
            let label: [UInt8] = name.utf8.flatMap { [UInt8]([$0, 0]) } + [0, 0]
            log.add(pcr: 11, .ipl, data: label, measuring: Array(name.utf8) + [0])
            log.add(pcr: 11, .ipl, data: label, measuring: Array(("content of " + name).utf8))
        }
        change(&log)
        log.add(pcr: 5, .efiAction, data: Array("Exit Boot Services Invocation".utf8))
        log.add(pcr: 5, .efiAction, data: Array("Exit Boot Services Returned with Success".utf8))
        return log
    }

    private func boot(_ bytes: [UInt8]) throws -> MeasuredBoot {
        MeasuredBoot(try #require(ReplayedEventLog(try EventLog(parsing: bytes), bank: .sha256)))
    }

    private func kinds(_ log: EventLogBuilder) throws -> [Irregularity.Kind] {
        try boot(log.bytes).irregularities.map(\.kind)
    }

    @Test("The good boot is whole")
    func good() throws {
        let boot = try boot(Self.good().bytes)
        #expect(boot.irregularities.isEmpty && boot.quirks.isEmpty && boot.secureBoot == .enabled)
        #expect(boot.firmwareVersion?.text == "10" && boot.authorities.first?.databaseEntry == 0)
        #expect(boot.sections.map(\.name) == [".linux", ".cmdline"])
    }

    @Test("Relabelled events: code in PCR 4 stays code under any type, sections and variables stay what they are")
    func relabelled() throws {
        let builder = Self.good(), log = try EventLog(parsing: builder.bytes), expected = try boot(builder.bytes)
        for type: UInt32 in [0, 1, 2, 3 + 1, 5, 6, 7, 8, 0xC, 0xD, 0x12, 0x8000_0001, 0x8000_0006, 0x8000_00E0, 0x1234]
        {
            var start = 0
            for event in log.events {
                // Each event's type stands four bytes behind its PCR; records follow one another.
                start = Self.offset(of: event.index, in: builder.bytes)
                var bytes = builder.bytes
                bytes.replaceSubrange((start + 4)..<(start + 8), with: SignatureListTests.number(Int(type)))
                let boot = try boot(bytes)
                #expect(boot.secureBoot == expected.secureBoot)
                #expect(boot.bootApplications.map(\.digest.hex) == expected.bootApplications.map(\.digest.hex))
                #expect(boot.sections.map(\.digest.hex) == expected.sections.map(\.digest.hex))
                #expect(boot.authorities.map(\.event) == expected.authorities.map(\.event))
                #expect(boot.separators == expected.separators)
            }
        }
    }

    /// Where a record of a log with one bank of SHA-256 begins.
    static func offset(of index: Int, in bytes: [UInt8]) -> Int {
        var position = 32 + 33
        for _ in 0..<index {
            let size = position + 46
            position = size + 4 + (0..<4).reduce(0) { $0 | Int(bytes[size + $1]) << (8 * $1) }
        }
        return position
    }

    @Test("A separator under another name, another event under its name")
    func mislabelled() throws {
        #expect(
            try kinds(Self.good { $0.add(pcr: 4, .separator, data: [0, 0, 0, 0], measuring: [1]) })
                == [.errorSeparator])
        #expect(
            try kinds(
                Self.good(separators: [0, 1, 2, 3, 5, 6, 7]) {
                    $0.add(pcr: 4, .ipl, data: [1], measuring: [0, 0, 0, 0])
                }) == [.mislabelledSeparator])
    }

    @Test("A separator that shows other bytes than were measured, a database that comes late")
    func misplaced() throws {
        let forged = Self.good(separators: [0, 1, 2, 3, 5, 6, 7]) {
            $0.add(pcr: 4, .separator, data: [0xFF, 0xFF, 0xFF, 0xFF], measuring: [0, 0, 0, 0])
        }
        #expect(try kinds(forged) == [.mislabelledSeparator])
        #expect(try boot(forged.bytes).quirks.isEmpty)
        var late = EventLogBuilder()
        late.add(pcr: 7, .separator, data: [0, 0, 0, 0])
        for name in ["KEK", "db"] {
            late.addVariable(
                pcr: 7, .efiVariableDriverConfig, vendor: Self.vendor(name), name: name, value: Self.value(name))
        }
        let view = try boot(late.bytes)
        #expect(
            view.databases.isEmpty
                && view.irregularities.prefix(2).map(\.kind) == [.repeatedVariable, .repeatedVariable])
    }

    @Test("A list of boot entries may have the bytes of a separator or of an error, in PCR 1 and as such a variable")
    func bootOrder() throws {
        for value: [UInt8] in [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]] {
            var order = EventLogBuilder()
            order.addVariable(pcr: 1, .efiVariableBoot, name: "BootOrder", value: value)
            let data = try Array(EventLog(parsing: order.bytes)[0].untrustedData)
            #expect(try kinds(Self.good { $0.add(pcr: 1, .efiVariableBoot, data: data, measuring: value) }) == [])
            for (pcr, type, shown) in [
                (3, EventType.efiVariableBoot, data), (1, .efiVariableBoot2, data), (1, .efiVariableBoot, [1]),
            ] {
                #expect(try !kinds(Self.good { $0.add(pcr: pcr, type, data: shown, measuring: value) }).isEmpty)
            }
        }
    }

    @Test("Missing, second, one's and error separators are told apart in each PCR", arguments: 0..<8)
    func separators(pcr: Int) throws {
        let others = Array(0..<8).filter { $0 != pcr }
        #expect(try kinds(Self.good(separators: others)) == [.missingSeparator])
        #expect(
            try kinds(Self.good { $0.add(pcr: pcr, .separator, data: [0xFF, 0xFF, 0xFF, 0xFF]) }) == [.secondSeparator])
        #expect(
            try kinds(Self.good { $0.add(pcr: pcr, .separator, data: [7, 7], measuring: [1, 0, 0, 0]) })
                == [.errorSeparator])
        let ones = try boot(
            Self.good(separators: others) {
                $0.add(pcr: pcr, .separator, data: [0xFF, 0xFF, 0xFF, 0xFF])
            }.bytes)
        #expect(ones.irregularities.isEmpty && ones.quirks.map(\.kind) == [.separatorOfOnes])
    }

    @Test("Forged data under a true digest is found or called untrusted")
    func forged() throws {
        let forgeries: [(Int, EventType, Irregularity.Kind)] = [
            (0, .sCRTMVersion, .changedData), (1, .efiVariableBoot, .unexplainedBootVariable),
            (1, .efiVariableBoot2, .unexplainedBootVariable),
            (3, .efiVariableDriverConfig, .changedData), (4, .efiAction, .changedData), (5, .efiGPTEvent, .changedData),
            (5, .efiAction, .changedData), (7, .efiVariableDriverConfig, .hiddenInPCR7),
            (7, .efiVariableAuthority, .hiddenInPCR7),
        ]
        for (pcr, type, kind) in forgeries {
            #expect(try kinds(Self.good { $0.add(pcr: pcr, type, data: [1], measuring: [2]) }) == [kind])
        }
        let command = Self.good { $0.add(pcr: 8, .ipl, data: Array("grub_cmd: a\0".utf8), measuring: Array("b".utf8)) }
        #expect(try kinds(command) == [.changedData])
        #expect(try boot(command.bytes).commands.isEmpty)
        let line = Self.good { $0.add(pcr: 12, .ipl, data: [0x61, 0, 0, 0], measuring: [0x62, 0]) }
        #expect(try boot(line.bytes).commandLines.isEmpty)
        #expect(try boot(line.bytes).objects.last?.untrustedRole == .override)
    }

    @Test("Quirks are named, with their events")
    func quirks() throws {
        let data = UEFIVariable.shimVendor + [UInt8](repeating: 0, count: 20)
        var variable = EventLogBuilder()
        variable.addVariable(pcr: 1, .efiVariableBoot, name: "Boot0001", value: [5])
        let cases: [(Quirk.Kind, (inout EventLogBuilder) -> Void)] = [
            (.shimTrailingByte, { $0.add(pcr: 7, .efiVariableAuthority, data: data + [0], measuring: data) }),
            (
                .grubTrailingZero,
                {
                    $0.add(pcr: 8, .ipl, data: Array("grub_cmd: a\0".utf8), measuring: Array("a\0".utf8))
                }
            ),
            (.wholeBootVariable, { $0.addVariable(pcr: 1, .efiVariableBoot, name: "Boot0001", value: [5]) }),
            (
                .bareBootVariable,
                {
                    let data = (try? EventLog(parsing: variable.bytes)).map { Array($0[0].untrustedData) } ?? []
                    $0.add(pcr: 1, .efiVariableBoot2, data: data, measuring: [5])
                }
            ),
            (.commandLineTrailingZero, { $0.add(pcr: 12, .ipl, data: [0x61, 0, 0, 0]) }),
        ]
        for (kind, change) in cases {
            let boot = try boot(Self.good(change).bytes)
            #expect(boot.quirks.map(\.kind) == [kind] && boot.irregularities.isEmpty)
        }
    }

    @Test("Events appended after the firmware was left are late, in every PCR of the firmware", arguments: 0..<8)
    func late(pcr: Int) throws {
        var log = Self.good()
        log.add(pcr: pcr, pcr == 7 ? .efiAction : .action, data: Array("late".utf8))
        #expect(try kinds(log) == [.afterExitBootServices])
    }

    @Test("Events dropped, doubled or exchanged change the PCR")
    func moved() throws {
        let bytes = Self.good().bytes, log = try EventLog(parsing: bytes)
        let replay = try #require(ReplayedEventLog(log, bank: .sha256))
        let starts = (0...log.count).map { Self.offset(of: min($0, log.count), in: bytes) }
        for index in 0..<log.count {
            let event = Array(bytes[starts[index]..<starts[index + 1]]), pcr = log[index].pcr
            var dropped = bytes, doubled = bytes
            dropped.removeSubrange(starts[index]..<starts[index + 1])
            doubled.insert(contentsOf: event, at: starts[index])
            for spoiled in [dropped, doubled] {
                let other = try #require(ReplayedEventLog(try EventLog(parsing: spoiled), bank: .sha256))
                #expect(other.value(ofPCR: pcr) != replay.value(ofPCR: pcr))
            }
        }
        var exchanged = bytes
        let sections = log.events.filter { $0.pcr == 11 }.map(\.index)
        let first = Array(bytes[starts[sections[0]]..<starts[sections[0] + 1]])
        exchanged.removeSubrange(starts[sections[0]]..<starts[sections[0] + 1])
        exchanged.insert(contentsOf: first, at: starts[sections[1] + 1] - first.count)
        let other = try #require(ReplayedEventLog(try EventLog(parsing: exchanged), bank: .sha256))
        #expect(other.value(ofPCR: 11) != replay.value(ofPCR: 11) && other.value(ofPCR: 4) == replay.value(ofPCR: 4))
    }

    @Test("Secure Boot's variables again, after the separator, hidden, or not to be read")
    func variables() throws {
        for name in Self.names {
            let again = Self.good {
                $0.addVariable(
                    pcr: 7, .efiVariableDriverConfig, vendor: Self.vendor(name), name: name, value: Self.value(name))
            }
            #expect(try kinds(again) == [.repeatedVariable])
        }
        var log = EventLogBuilder()
        log.addVariable(
            pcr: 7, .efiVariableDriverConfig, vendor: Self.vendor("dbx"), name: "dbx",
            value: SignatureListTests.list(
                SignatureListTests.sha256, header: SignatureListTests.hash(1), [SignatureListTests.hash(2)]))
        let boot = try boot(log.bytes)
        #expect(boot.irregularities.contains(Irregularity(kind: .unreadableDatabase, pcr: 7, event: 0)))
        #expect(boot.database("dbx") == nil && boot.databases.count == 1)
    }

    @Test("A section's name without content, a name that its digest denies")
    func sections() throws {
        let open = Self.good { $0.add(pcr: 11, .ipl, data: [], measuring: Array(".initrd\0".utf8)) }
        #expect(try kinds(open) == [.incompleteSection])
        let denied = Self.good {
            for content: UInt8 in [1, 2] { $0.add(pcr: 11, .ipl, data: Array(".initrd\0".utf8), measuring: [content]) }
        }
        #expect(try boot(denied.bytes).sections.count == 2)
        #expect(try boot(denied.bytes).objects.suffix(2).map(\.pcr) == [11, 11])
        let lie = Self.good {
            $0.add(pcr: 11, .ipl, data: Array(".osrel\0".utf8), measuring: Array(".initrd\0".utf8))
            $0.add(pcr: 11, .ipl, data: Array(".osrel\0".utf8), measuring: [2])
        }
        #expect(try boot(lie.bytes).sections.map(\.name) == [".linux", ".cmdline", ".initrd"])
    }

    @Test("Logs of one byte, of none, and of 64 MB are refused early")
    func sizes() {
        #expect(throws: EventLogError.empty) { try EventLog(parsing: []) }
        for byte: UInt8 in [0, 1, 0xFF] {
            #expect(throws: EventLogError.self) { try EventLog(parsing: [byte]) }
        }
        let large = EventLogBuilder().bytes + [UInt8](repeating: 0, count: 64 << 20)
        #expect(throws: EventLogError.tooLarge("\(large.count) bytes; at most 1048576 are read")) {
            try EventLog(parsing: large)
        }
    }
}
