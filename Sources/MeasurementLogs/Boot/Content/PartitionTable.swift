/// The partition table of the disk that was booted (`UEFI_GPT_DATA`, PC Client Platform Firmware Profile 1.06 §10.2.4).
public struct PartitionTable: Sendable {
    /// One partition that is in use (UEFI Specification §5.3.3).
    public struct Partition: Sendable, Hashable {
        /// What it is for: GUID of the partition's type.
        public let type: GUID
        /// The partition's own GUID.
        public let identifier: GUID
        /// Its first and last block.
        public let firstBlock: UInt64
        public let lastBlock: UInt64
        /// Flags as they stand.
        public let attributes: UInt64
        /// Its label, at most 36 characters.
        public let name: String
    }

    /// The disk's GUID.
    public let diskIdentifier: GUID
    /// The partitions in use.
    public let partitions: [Partition]

    /// Reads a header of 92 bytes and partitions of 128 bytes that fill `bytes`, at most 1,024; `nil` otherwise.
    public init?(parsing bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 100, bytes.starts(with: "EFI PART".utf8), bytes.littleEndian32(at: 12) == 92,
            bytes.littleEndian32(at: 84) == 128, let disk = GUID(bytes.dropFirst(56).prefix(16))
        else { return nil }
        let count = bytes.littleEndian64(at: 92)
        guard count <= 1024, bytes.count == 100 + Int(count) * 128 else { return nil }
        diskIdentifier = disk
        partitions = (0..<Int(count)).compactMap { Partition(bytes.dropFirst(100 + $0 * 128).prefix(128)) }
        guard partitions.count == Int(count) else { return nil }
    }
}

extension PartitionTable.Partition {
    fileprivate init?(_ entry: ArraySlice<UInt8>) {
        guard let type = GUID(entry.prefix(16)), let identifier = GUID(entry.dropFirst(16).prefix(16)) else {
            return nil
        }
        self.type = type
        self.identifier = identifier
        firstBlock = entry.littleEndian64(at: 32)
        lastBlock = entry.littleEndian64(at: 40)
        attributes = entry.littleEndian64(at: 48)
        name = String(untrustedUTF16: entry.dropFirst(56))
    }
}
