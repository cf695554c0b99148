/// A piece of memory that the firmware measured (`UEFI_PLATFORM_FIRMWARE_BLOB` and `…BLOB2`, PC Client Platform Firmware Profile 1.06
/// §10.2.5). The event's digest is of that memory; it covers nothing of this.
public struct FirmwareBlob: Sendable, Hashable {
    /// What the firmware calls it; empty where the structure has no description.
    public let description: String
    /// Where it lies.
    public let address: UInt64
    /// How many bytes it has.
    public let byteCount: UInt64

    /// Reads the structure without description: 16 bytes.
    public init?(parsing bytes: ArraySlice<UInt8>) {
        guard bytes.count == 16 else { return nil }
        description = ""
        address = bytes.littleEndian64(at: 0)
        byteCount = bytes.littleEndian64(at: 8)
    }

    /// Reads the structure with a description of at most 255 bytes before address and length.
    public init?(parsingDescribed bytes: ArraySlice<UInt8>) {
        guard let size = bytes.first, bytes.count == 1 + Int(size) + 16 else { return nil }
        description = String(decoding: bytes.dropFirst().prefix(Int(size)).prefix { $0 != 0 }, as: UTF8.self)
        let rest = bytes.dropFirst(1 + Int(size))
        address = rest.littleEndian64(at: 0)
        byteCount = rest.littleEndian64(at: 8)
    }
}

/// Which tables the firmware hands over (`UEFI_HANDOFF_TABLE_POINTERS` and `…POINTERS2`, §10.2.5). The event's digest is of the tables.
public struct HandoffTables: Sendable {
    /// What the firmware calls them; empty where the structure has no description.
    public let description: String
    /// Each table's GUID and address.
    public let tables: [(identifier: GUID, address: UInt64)]

    /// Reads the structure without description: a count, and 24 bytes for each table, at most 1,024.
    public init?(parsing bytes: ArraySlice<UInt8>) { self.init(description: "", bytes) }

    /// Reads the structure with a description of at most 255 bytes before the count.
    public init?(parsingDescribed bytes: ArraySlice<UInt8>) {
        guard let size = bytes.first, bytes.count >= 1 + Int(size) else { return nil }
        let name = bytes.dropFirst().prefix(Int(size)).prefix { $0 != 0 }
        self.init(description: String(decoding: name, as: UTF8.self), bytes.dropFirst(1 + Int(size)))
    }

    private init?(description: String, _ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 8 else { return nil }
        let count = bytes.littleEndian64(at: 0)
        guard count <= 1024, bytes.count == 8 + Int(count) * 24 else { return nil }
        self.description = description
        tables = (0..<Int(count)).compactMap { number in
            let entry = bytes.dropFirst(8 + number * 24).prefix(24)
            return GUID(entry.prefix(16)).map { ($0, entry.littleEndian64(at: 16)) }
        }
    }
}
