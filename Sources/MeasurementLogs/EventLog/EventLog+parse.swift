internal import TPM2

extension EventLog {
    /// How much is read before giving up.
    public struct Limits: Sendable {
        public var maximumByteCount: Int
        public var maximumEventCount: Int
        public var maximumEventByteCount: Int

        /// 1 MiB, 10,000 events, 256 KiB in an event: several times what real machines write.
        public static let standard = Limits(
            maximumByteCount: 1 << 20, maximumEventCount: 10_000, maximumEventByteCount: 256 << 10)

        /// Limits of one's own.
        public init(maximumByteCount: Int, maximumEventCount: Int, maximumEventByteCount: Int) {
            self.maximumByteCount = maximumByteCount
            self.maximumEventCount = maximumEventCount
            self.maximumEventByteCount = maximumEventByteCount
        }
    }

    /// Reads a whole log. After the last event there may be padding, all zeros or all ones, and nothing else.
    public init(parsing bytes: [UInt8], limits: Limits = .standard) throws(EventLogError) {
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= limits.maximumByteCount else {
            throw .tooLarge("\(bytes.count) bytes; at most \(limits.maximumByteCount) are read")
        }
        var cursor = LittleEndianCursor(count: bytes.count)
        let banks = try Self.readHeader(bytes, &cursor)
        var records: [Record] = []
        records.reserveCapacity(min(bytes.count / 100, limits.maximumEventCount))
        while !cursor.isAtPadding(bytes) {
            guard records.count < limits.maximumEventCount else {
                throw .tooLarge("more than \(limits.maximumEventCount) events")
            }
            records.append(try Self.readEvent(bytes, &cursor, records.count, banks, limits))
        }
        self.init(banks: banks, bytes: bytes, records: records)
    }

    /// The first record: `TCG_PCR_EVENT` with a `TCG_EfiSpecIDEvent` (§10.4.5.1).
    private static func readHeader(
        _ bytes: [UInt8], _ cursor: inout LittleEndianCursor
    ) throws(EventLogError) -> [Bank] {
        let pcr = try cursor.uint32(bytes, nil, "PCR index")
        let type = try cursor.uint32(bytes, nil, "event type")
        let digest = try cursor.range(20, nil, "digest")
        let size = try cursor.uint32(bytes, nil, "event size")
        let data = try cursor.range(Int(size), nil, "Spec ID event")
        guard pcr == 0, type == EventType.noAction.rawValue, bytes[digest].allSatisfy({ $0 == 0 }) else {
            throw .legacySHA1Only
        }
        var inner = LittleEndianCursor(start: data.lowerBound, end: data.upperBound)
        let signature = try inner.range(16, nil, "signature")
        guard bytes[signature].elementsEqual("Spec ID Event03\0".utf8) else {
            if bytes[signature].starts(with: "Spec ID Event0".utf8) { throw .legacySHA1Only }
            throw .malformed(event: nil, reason: "has no Spec ID event")
        }
        _ = try inner.range(8, nil, "platform class and version")
        let count = try inner.uint32(bytes, nil, "number of algorithms")
        guard (1...8).contains(count) else {
            throw .malformed(event: nil, reason: "declares \(count) algorithms; 1 to 8 are read")
        }
        var banks: [Bank] = []
        for _ in 0..<count {
            let algorithm = TPM.AlgorithmID(rawValue: try inner.uint16(bytes, nil, "algorithm"))
            let size = Int(try inner.uint16(bytes, nil, "digest size"))
            guard algorithm.digestByteCount == size else {
                throw .malformed(event: nil, reason: "declares digests of \(size) bytes for \(algorithm)")
            }
            guard !banks.contains(where: { $0.algorithm == algorithm }) else {
                throw .malformed(event: nil, reason: "declares \(algorithm) twice")
            }
            banks.append(Bank(algorithm: algorithm, digestByteCount: size))
        }
        let vendor = try inner.uint8(bytes, nil, "vendor information size")
        _ = try inner.range(Int(vendor), nil, "vendor information")
        guard inner.remaining == 0 else {
            throw .malformed(event: nil, reason: "has \(inner.remaining) bytes after the vendor information")
        }
        guard banks != [Bank(algorithm: .sha1, digestByteCount: 20)] else { throw .legacySHA1Only }
        return banks
    }

    /// `TCG_PCR_EVENT2` (§10.2.2), with one digest for each declared bank, in the declared order.
    private static func readEvent(
        _ bytes: [UInt8], _ cursor: inout LittleEndianCursor, _ index: Int, _ banks: [Bank], _ limits: Limits
    ) throws(EventLogError) -> Record {
        let pcr = try cursor.uint32(bytes, index, "PCR index")
        guard pcr < 24 else { throw .malformed(event: index, reason: "belongs to PCR \(pcr), which does not exist") }
        let type = try cursor.uint32(bytes, index, "event type")
        let count = try cursor.uint32(bytes, index, "digest count")
        guard count == UInt32(banks.count) else {
            throw .malformed(event: index, reason: "has \(count) digests; the log declares \(banks.count) banks")
        }
        let digestsStart = cursor.position
        for bank in banks {
            let algorithm = TPM.AlgorithmID(rawValue: try cursor.uint16(bytes, index, "digest algorithm"))
            guard algorithm == bank.algorithm else {
                throw .malformed(event: index, reason: "has a digest of \(algorithm) where \(bank.algorithm) belongs")
            }
            _ = try cursor.range(bank.digestByteCount, index, "digest")
        }
        let size = try cursor.uint32(bytes, index, "event size")
        guard size <= UInt32(clamping: limits.maximumEventByteCount) else {
            throw .tooLarge("event \(index) has \(size) bytes; at most \(limits.maximumEventByteCount) are read")
        }
        let data = try cursor.range(Int(size), index, "event data")
        return Record(
            pcr: pcr, type: type, digestsStart: digestsStart, dataStart: data.lowerBound, dataEnd: data.upperBound)
    }
}

extension TPM.AlgorithmID {
    /// The digest length of each hash in the TCG registry that firmware uses, also of those that Carnet cannot compute.
    var digestByteCount: Int? {
        switch self {
        case .sha1: 20
        case .sha256, .sm3, .sha3x256: 32
        case .sha384, .sha3x384: 48
        case .sha512, .sha3x512: 64
        default: nil
        }
    }
}
