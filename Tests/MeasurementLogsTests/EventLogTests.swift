import Cryptography
import MeasurementLogs
import TPM2
import Testing

@Suite("Reading event logs")
struct EventLogTests {
    static func sample(_ banks: [HashAlgorithm] = [.sha256, .sha384]) -> EventLogBuilder {
        var builder = EventLogBuilder(banks: banks)
        builder.add(pcr: 0, .noAction, data: Array("StartupLocality\0".utf8) + [3])
        builder.add(pcr: 0, .sCRTMVersion, data: [0x31, 0, 0, 0])
        builder.addVariable(pcr: 7, .efiVariableDriverConfig, name: "SecureBoot", value: [1])
        builder.add(pcr: 7, .separator, data: [0, 0, 0, 0])
        builder.addImage(pcr: 4, path: "\\EFI\\BOOT\\BOOTX64.EFI", image: Array("image".utf8))
        builder.add(
            pcr: 8, .ipl, data: Array("grub_cmd: linux /vmlinuz\0".utf8), measuring: Array("linux /vmlinuz".utf8))
        return builder
    }

    @Test("What is written is read back and replays to what was extended")
    func roundTrip() throws {
        let builder = Self.sample()
        let log = try EventLog(parsing: builder.bytes)
        #expect(log.count == 6 && log.banks.map(\.algorithm) == [.sha256, .sha384])
        for bank in builder.banks {
            let replay = try #require(ReplayedEventLog(log, bank: TPM.AlgorithmID(bank)))
            var registers: [Int: [UInt8]] = [:]
            for measurement in builder.measurements {
                var value = registers[measurement.pcr] ?? replay.startValue(ofPCR: measurement.pcr)
                bank.extend(&value, with: measurement.digests[bank] ?? [])
                registers[measurement.pcr] = value
            }
            for (pcr, value) in registers { #expect(replay.value(ofPCR: pcr) == value) }
            #expect(replay.eventCount(ofPCR: 0) == 1, "EV_NO_ACTION is not extended")
            #expect(replay.startValue(ofPCR: 0).last == 3 && replay.startValue(ofPCR: 17).first == 0xFF)
        }
        #expect(ReplayedEventLog(log, bank: .sha512) == nil)
    }

    @Test("Data is bound where the digest covers it, and a hint elsewhere")
    func binding() throws {
        let log = try EventLog(parsing: Self.sample().bytes)
        #expect(log.events.map { $0.binding(in: .sha256) } == [.unbound, .bound, .bound, .bound, .unbound, .bound])
        #expect(
            log[4].summary(in: .sha256).contains("untrusted") && log[4].summary(in: .sha256).contains("BOOTX64.EFI"))
        #expect(!log[2].summary(in: .sha256).contains("untrusted"))
    }

    @Test("Rewritten data under an old digest is a mismatch and decides nothing")
    func rewritten() throws {
        var builder = EventLogBuilder()
        builder.addVariable(pcr: 7, .efiVariableDriverConfig, name: "SecureBoot", value: [0])
        var bytes = builder.bytes
        bytes[bytes.count - 1] = 1
        let log = try EventLog(parsing: bytes)
        #expect(log[0].binding(in: .sha256) == .mismatch)
        #expect(ReplayedEventLog(log, bank: .sha256)?.secureBoot == .unknown)
    }

    /// What the log of a boot says about Secure Boot whose PCR 7 is what `add` makes of it.
    private func secureBoot(_ add: (inout EventLogBuilder) -> Void) throws -> SecureBootState? {
        var builder = EventLogBuilder()
        add(&builder)
        return ReplayedEventLog(try EventLog(parsing: builder.bytes), bank: .sha256)?.secureBoot
    }

    @Test("Secure Boot is what the variable says that firmware measures first, whatever its label")
    func secureBoot() throws {
        #expect(try secureBoot { $0.addSecureBoot([1]) } == .enabled)
        #expect(try secureBoot { $0.addSecureBoot([0]) } == .disabled)
        #expect(try secureBoot { $0.addSecureBoot([0], type: .efiVariableAuthority) } == .disabled)
        #expect(
            try secureBoot {
                $0.addSecureBoot([1])
                $0.addVariable(pcr: 7, .efiVariableAuthority, name: "db", value: [7])
            } == .enabled)
    }

    static let unknown: [@Sendable (inout EventLogBuilder) -> Void] = [
        { _ in }, { $0.addSecureBoot([]) }, { $0.addSecureBoot([1, 1]) }, { $0.addSecureBoot([2]) },
        { $0.addSecureBoot([1], databases: ["PK", "KEK"]) }, { $0.addSecureBoot([1], databases: []) },
        { $0.addSecureBoot([1], pcr: 1) }, { $0.addSecureBoot([1], vendor: [UInt8](repeating: 1, count: 16)) },
        // Twice, in either order; after the separator; with another variable before it; without a separator, or with two.
        {
            $0.addVariable(pcr: 7, .efiVariableDriverConfig, name: "SecureBoot", value: [0])
            $0.addSecureBoot([1])
        },
        {
            $0.add(pcr: 7, .separator, data: [0, 0, 0, 0])
            $0.addSecureBoot([1])
        },
        {
            $0.add(pcr: 7, .ipl, data: [1], measuring: [0, 0, 0, 0])
            $0.addSecureBoot([1])
        },
        {
            $0.addSecureBoot([0])
            $0.addVariable(pcr: 7, .efiVariableDriverConfig, name: "SecureBoot", value: [1])
        },
        {
            $0.addVariable(pcr: 7, .efiVariableDriverConfig, name: "dbx", value: [1])
            $0.addSecureBoot([1])
        },
        {
            for name in ["SecureBoot", "PK", "KEK", "db"] {
                $0.addVariable(pcr: 7, .efiVariableDriverConfig, name: name, value: [1])
            }
        },
        {
            $0.addSecureBoot([1])
            $0.add(pcr: 7, .separator, data: [0xFF, 0xFF, 0xFF, 0xFF])
        },
        // Something that the log does not show, or shows with a byte too many before the separator; an error.
        {
            $0.add(pcr: 7, .efiAction, data: [1], measuring: [2])
            $0.addSecureBoot([1])
        },
        {
            $0.addSecureBoot([0], type: .efiVariableAuthority, slack: [0])
            $0.addSecureBoot([1])
        },
        {
            $0.addSecureBoot([1])
            $0.add(pcr: 7, .efiAction, data: [1], measuring: [1, 0, 0, 0])
        },
    ]

    @Test("Secure Boot is unknown where the log does not show what firmware does", arguments: unknown.indices)
    func unknownSecureBoot(index: Int) throws { #expect(try secureBoot(Self.unknown[index]) == .unknown) }

    @Test("The event that moved a PCR away from an expected value is named")
    func leaving() throws {
        var builder = EventLogBuilder()
        builder.add(pcr: 4, .efiAction, data: Array("one".utf8))
        let good = try #require(ReplayedEventLog(try EventLog(parsing: builder.bytes), bank: .sha256)).value(ofPCR: 4)
        builder.add(pcr: 5, .efiAction, data: Array("elsewhere".utf8))
        builder.add(pcr: 4, .efiAction, data: Array("two".utf8))
        builder.add(pcr: 4, .efiAction, data: Array("three".utf8))
        let replay = try #require(ReplayedEventLog(try EventLog(parsing: builder.bytes), bank: .sha256))
        #expect(replay.firstEvent(leaving: [good], pcr: 4)?.index == 2)
        #expect(replay.firstEvent(leaving: [replay.value(ofPCR: 4)], pcr: 4) == nil)
        #expect(replay.firstEvent(leaving: [[1]], pcr: 4) == nil)
        #expect(replay.firstEvent(leaving: [replay.startValue(ofPCR: 4)], pcr: 4)?.index == 0)
        #expect(replay.lastEvent(ofPCR: 4)?.index == 3 && replay.lastEvent(ofPCR: 9) == nil)
    }

    @Test("An H-CRTM starts PCR 0 in locality 4, and an unknown locality is not believed")
    func startup() throws {
        func start(_ add: (inout EventLogBuilder) -> Void) throws -> UInt8? {
            var builder = EventLogBuilder()
            add(&builder)
            return ReplayedEventLog(try EventLog(parsing: builder.bytes), bank: .sha256)?.startValue(ofPCR: 0).last
        }
        #expect(try start { $0.add(pcr: 0, .efiHCRTMEvent, data: Array("HCRTM".utf8)) } == 4)
        #expect(try start { $0.add(pcr: 0, .noAction, data: Array("StartupLocality\0".utf8) + [3]) } == 3)
        #expect(try start { $0.add(pcr: 0, .noAction, data: Array("StartupLocality\0".utf8) + [7]) } == 0)
        #expect(try start { $0.add(pcr: 1, .noAction, data: Array("StartupLocality\0".utf8) + [3]) } == 0)
    }

    @Test("Padding of zeros or ones ends a log, and anything else does not")
    func padding() throws {
        let bytes = Self.sample().bytes
        for filler: UInt8 in [0, 0xFF] {
            #expect(try EventLog(parsing: bytes + [UInt8](repeating: filler, count: 99)).count == 6)
        }
        #expect(throws: EventLogError.self) { try EventLog(parsing: bytes + [0, 0, 1]) }
        #expect(throws: EventLogError.self) { try EventLog(parsing: bytes + [0xFF, 0]) }
    }

    @Test("A log that ends anywhere inside a record is refused")
    func truncation() {
        let builder = Self.sample()
        var accepted = 0
        for count in 0..<builder.bytes.count where (try? EventLog(parsing: Array(builder.bytes.prefix(count)))) != nil {
            accepted += 1
        }
        // The header alone and the ends of the first five events are whole logs; a cut inside trailing zeros looks like padding
        // only where every byte after the last whole event is zero: the PCR index 0 of the first two events, 4 bytes each less one.
        #expect(accepted <= 6 + 2 * 4)
    }

    @Test("Hostile headers and events are refused with their reason")
    func hostile() throws {
        let bytes = Self.sample([.sha256]).bytes
        func changing(_ changes: [(Int, UInt8)]) -> [UInt8] {
            var copy = bytes
            for (offset, value) in changes { copy[offset] = value }
            return copy
        }
        // The header's record is 32 bytes; the Spec ID event 16 + 8 + 4 + 4 + 1.
        let event = 32 + 33
        let spoiled: [(String, [UInt8])] = [
            ("PCR 1 in the header", changing([(0, 1)])),
            ("another header type", changing([(4, 4)])),
            ("a digest in the header", changing([(8, 1)])),
            ("another signature", changing([(32, 0x58)])),
            ("no algorithms", changing([(56, 0)])),
            ("four billion algorithms", changing([(56, 0xFF), (57, 0xFF), (58, 0xFF), (59, 0xFF)])),
            ("a digest size that SHA-256 does not have", changing([(62, 20)])),
            ("an unknown algorithm", changing([(60, 0x99)])),
            ("a header of four billion bytes", changing([(28, 0xFF), (29, 0xFF), (30, 0xFF), (31, 0xFF)])),
            ("vendor information past the end", changing([(64, 200)])),
            ("PCR 24", changing([(event, 24)])),
            ("no digests", changing([(event + 8, 0)])),
            ("two digests", changing([(event + 8, 2)])),
            ("a digest of another bank", changing([(event + 12, 0x0C)])),
            ("an event of four billion bytes", changing((46..<50).map { (event + $0, 0xFF) })),
        ]
        for (what, log) in spoiled {
            #expect(throws: EventLogError.self, "\(what)") { try EventLog(parsing: log) }
        }
        let limits = EventLog.Limits(maximumByteCount: 10_000, maximumEventCount: 5, maximumEventByteCount: 10_000)
        #expect(throws: EventLogError.self) { try EventLog(parsing: bytes, limits: limits) }
        #expect(throws: EventLogError.self) { try EventLog(parsing: [UInt8](repeating: 0, count: (1 << 20) + 1)) }
    }

    @Test("What a terminal would obey is replaced in summaries")
    func terminalSafety() throws {
        var builder = EventLogBuilder()
        builder.add(pcr: 5, .efiAction, data: Array("a\u{1B}[31m\nb\u{202E}c".utf8))
        let summary = try EventLog(parsing: builder.bytes)[0].summary(in: .sha256)
        #expect(!summary.contains("\u{1B}") && !summary.contains("\n") && !summary.contains("\u{202E}"))
    }
}

extension EventLogBuilder {
    /// What firmware measures into PCR 7 before it hands over, in its order.
    fileprivate mutating func addSecureBoot(
        _ value: [UInt8], type: EventType = .efiVariableDriverConfig, pcr: Int = 7,
        vendor: [UInt8] = UEFIVariable.globalVendor, databases: [String] = ["PK", "KEK", "db", "dbx"],
        slack: [UInt8] = []
    ) {
        var variable = EventLogBuilder()
        variable.addVariable(pcr: pcr, type, vendor: vendor, name: "SecureBoot", value: value)
        let data = (try? EventLog(parsing: variable.bytes)).map { Array($0[0].untrustedData) } ?? []
        add(pcr: pcr, type, data: data + slack, measuring: data)
        for name in databases { addVariable(pcr: pcr, .efiVariableDriverConfig, name: name, value: [1]) }
        add(pcr: pcr, .separator, data: [0, 0, 0, 0])
    }
}
