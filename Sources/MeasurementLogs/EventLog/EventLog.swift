public import TPM2

/// A firmware event log as it was read: the TCG's crypto-agile format (PC Client Platform Firmware Profile 1.06, §10).
///
/// Nothing in it is authentic. A quote vouches for digests and their order once a replay reaches the quoted values; event
/// types never, and event data only where ``Event/binding(in:)`` says so. All integers are little-endian.
public struct EventLog: Sendable {
    /// A hash algorithm in which the firmware measured, with the length of its digests in bytes.
    public struct Bank: Sendable, Hashable {
        public let algorithm: TPM.AlgorithmID
        public let digestByteCount: Int
    }

    /// The banks of the Spec ID event, in its order.
    public let banks: [Bank]
    /// How many events follow the Spec ID event.
    public var count: Int { records.count }

    /// How many events firmware and boot loaders wrote; those after them are of ``runtime``.
    public var firmwareCount: Int { count - (runtime?.pcrRecords.count ?? 0) }
    /// The log of the running system whose records follow the firmware's events; `nil` when none was spliced.
    public let runtime: RuntimeLog?

    let bytes: [UInt8]
    let records: [Record]

    init(banks: [Bank], bytes: [UInt8], records: [Record], runtime: RuntimeLog? = nil) {
        self.banks = banks
        self.bytes = bytes
        self.records = records
        self.runtime = runtime
    }

    /// Where one event stands in ``bytes``. Digests follow one another from `digestsStart` in the order of ``banks``.
    struct Record: Sendable {
        let pcr: UInt32
        let type: UInt32
        let digestsStart: Int
        let dataStart: Int
        let dataEnd: Int
    }

    /// The event of a number from 0.
    public subscript(index: Int) -> Event { Event(index: index, log: self) }

    /// Each event in order.
    public var events: some Collection<Event> { records.indices.lazy.map { self[$0] } }

    /// Where a bank's digest lies in each record, or `nil` when the firmware or the running system did not measure in it.
    func digestRange(of algorithm: TPM.AlgorithmID) -> Range<Int>? {
        if let runtime, !runtime.measures(in: algorithm) { return nil }
        var start = 0
        for bank in banks {
            start += 2
            if bank.algorithm == algorithm { return start..<(start + bank.digestByteCount) }
            start += bank.digestByteCount
        }
        return nil
    }
}
