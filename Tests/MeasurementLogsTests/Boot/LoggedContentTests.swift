import MeasurementLogs
import Testing

@Suite("What events say of themselves")
struct LoggedContentTests {
    private func content(_ type: EventType, _ data: [UInt8], pcr: Int = 1) throws -> LoggedContent {
        var log = EventLogBuilder()
        log.add(pcr: pcr, type, data: data)
        return try EventLog(parsing: log.bytes)[0].untrustedContent
    }

    private static func number(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    static let disk = [UInt8](repeating: 0xD, count: 16)
    static let partition: [UInt8] =
        [UInt8](repeating: 1, count: 16) + [UInt8](repeating: 2, count: 16) + number(2048, 8) + number(4095, 8)
        + number(1, 8) + [0x45, 0, 0x53, 0, 0x50, 0] + [UInt8](repeating: 0, count: 66)
    static let partitions: [UInt8] =
        Array("EFI PART".utf8) + [0, 0, 1, 0] + number(92, 4) + [UInt8](repeating: 0, count: 40) + disk
        + [UInt8](repeating: 0, count: 12) + number(128, 4) + [0, 0, 0, 0] + number(1, 8) + partition
    static let blob = number(0x820000, 8) + number(0xE0000, 8)
    static let described = [4] + Array("PEI\0".utf8) + blob
    static let table = [UInt8](repeating: 3, count: 16) + number(0x1000, 8)
    static let tag = number(0x8F3B_22EC, 4) + number(13, 4) + Array("Linux initrd\0".utf8)

    @Test("Every type with a structure is read")
    func reads() throws {
        guard case .partitions(let disk) = try content(.efiGPTEvent, Self.partitions) else {
            Issue.record("no partitions")
            return
        }
        #expect(disk.diskIdentifier == GUID(Self.disk) && disk.partitions.map(\.name) == ["ESP"])
        #expect(disk.partitions.first?.firstBlock == 2048 && disk.partitions.first?.lastBlock == 4095)
        guard case .firmwareBlob(let bare) = try content(.efiPlatformFirmwareBlob, Self.blob),
            case .firmwareBlob(let named) = try content(.efiPlatformFirmwareBlob2, Self.described),
            case .firmwareBlob = try content(.postCode, Self.blob)
        else {
            Issue.record("no blob")
            return
        }
        #expect(bare.address == 0x820000 && bare.byteCount == 0xE0000 && bare.description.isEmpty)
        #expect(named.description == "PEI" && named.address == bare.address)
        guard case .handoffTables(let tables) = try content(.efiHandoffTables, Self.number(1, 8) + Self.table),
            case .handoffTables(let named) = try content(
                .efiHandoffTables2, [1, 0x41] + Self.number(2, 8) + Self.table + Self.table)
        else {
            Issue.record("no tables")
            return
        }
        #expect(tables.tables.map(\.address) == [0x1000] && named.description == "A" && named.tables.count == 2)
        guard case .tagged(let tagged) = try content(.eventTag, Self.tag) else {
            Issue.record("no tag")
            return
        }
        #expect(tagged.tag == .linuxInitrd && tagged.text == "Linux initrd")
        if case .action(let text) = try content(.postCode, Array("POST CODE".utf8)) {
            #expect(text == "POST CODE")
        } else {
            Issue.record("no text")
        }
        if case .text(let text) = try content(.ipl, [0x2E, 0, 0x61, 0, 0, 0]) {
            #expect(text == ".a")
        } else {
            Issue.record("no UTF-16")
        }
        if case .startupLocality(3) = try content(.noAction, Array("StartupLocality\0".utf8) + [3], pcr: 0) {
        } else {
            Issue.record("no locality")
        }
    }

    @Test("Structures a byte too long or cut anywhere are opaque, and never a part of what they claim")
    func spoiled() throws {
        let whole: [(EventType, [UInt8])] = [
            (.efiGPTEvent, Self.partitions), (.efiGPTEvent2, Self.partitions), (.efiPlatformFirmwareBlob, Self.blob),
            (.efiPlatformFirmwareBlob2, Self.described), (.efiHandoffTables, Self.number(1, 8) + Self.table),
            (.efiHandoffTables2, [1, 0x41] + Self.number(1, 8) + Self.table), (.eventTag, Self.tag),
            (
                .efiBootServicesApplication,
                Self.blob + [UInt8](repeating: 0, count: 8) + Self.number(4, 8) + [0x7F, 0xFF, 4, 0]
            ),
        ]
        for (type, data) in whole {
            if case .opaque = try content(type, data) { Issue.record("\(type) is not read") }
            for spoiled in (0..<data.count).map({ Array(data.prefix($0)) }) + [data + [0]] {
                guard case .opaque = try content(type, spoiled) else {
                    Issue.record("\(type) of \(spoiled.count) bytes is read")
                    continue
                }
            }
        }
    }

    @Test("Counts of billions allocate nothing")
    func counts() throws {
        let huge = [UInt8](repeating: 0xFF, count: 8)
        for (type, data) in [
            (EventType.efiHandoffTables, huge + Self.table), (.efiHandoffTables2, [0] + huge + Self.table),
            (.efiGPTEvent, Self.partitions.prefix(92) + huge + Self.partition),
        ] {
            guard case .opaque = try content(type, Array(data)) else {
                Issue.record("\(type) is read")
                continue
            }
        }
    }

    @Test("SPDM's measurements are opaque and have their names")
    func spdm() throws {
        for type in [EventType.efiSPDMFirmwareBlob, .efiSPDMFirmwareConfig] {
            guard case .opaque(let data) = try content(type, [1, 2]) else {
                Issue.record("\(type) is read")
                continue
            }
            #expect(data.elementsEqual([1, 2]) && type.description.hasPrefix("EV_EFI_SPDM_"))
        }
    }
}
