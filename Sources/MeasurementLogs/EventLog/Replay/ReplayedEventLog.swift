internal import Cryptography
public import TPM2

/// What the PCRs of one bank hold after every event of a log was extended into them.
///
/// It is a claim until a quote confirms it: compare ``value(ofPCR:)`` with the quoted value.
public struct ReplayedEventLog: Sendable {
    public let log: EventLog
    public let bank: TPM.AlgorithmID
    private let hash: HashAlgorithm
    private let digests: Range<Int>
    private let startupLocality: UInt8
    /// The registers one after another.
    private var values: [UInt8]
    private var counts = [Int](repeating: 0, count: 24)

    /// Replays a log in one bank; `nil` when the log does not have it, or Carnet does not compute its hash.
    public init?(_ log: EventLog, bank: TPM.AlgorithmID) {
        guard let hash = bank.hash, let digests = log.digestRange(of: bank) else { return nil }
        self.log = log
        self.bank = bank
        self.hash = hash
        self.digests = digests
        startupLocality = log.startupLocality
        values = []
        var registers: [UInt8] = [], counts = [Int](repeating: 0, count: 24)
        registers.reserveCapacity(24 * hash.byteCount)
        for pcr in 0..<24 { registers += startValue(ofPCR: pcr) }
        let size = hash.byteCount, context = RepeatedHash(hash)
        registers.withUnsafeMutableBytes { registers in
            log.bytes.withUnsafeBytes { bytes in
                for record in log.records where record.type != EventType.noAction.rawValue {
                    let pcr = Int(record.pcr), start = record.digestsStart
                    counts[pcr] += 1
                    context.extend(
                        UnsafeMutableRawBufferPointer(rebasing: registers[(pcr * size)..<(pcr * size + size)]),
                        with: UnsafeRawBufferPointer(
                            rebasing: bytes[(start + digests.lowerBound)..<(start + digests.upperBound)]))
                }
            }
        }
        values = registers
        self.counts = counts
    }

    private func range(of record: EventLog.Record) -> Range<Int> {
        (record.digestsStart + digests.lowerBound)..<(record.digestsStart + digests.upperBound)
    }

    /// The value of a PCR, 0 to 23, after the last event.
    public func value(ofPCR pcr: Int) -> [UInt8] {
        Array(values[(pcr * hash.byteCount)..<((pcr + 1) * hash.byteCount)])
    }

    /// How many events extended a PCR.
    public func eventCount(ofPCR pcr: Int) -> Int { counts[pcr] }

    /// What a PCR holds at power-on: zeros; ones for PCR 17 to 22; for PCR 0 the locality of startup in the last byte
    /// (PC Client Platform Firmware Profile 1.06, §10.4.5.3).
    public func startValue(ofPCR pcr: Int) -> [UInt8] {
        var value = [UInt8](repeating: (17...22).contains(pcr) ? 0xFF : 0, count: hash.byteCount)
        if pcr == 0 { value[value.count - 1] = startupLocality }
        return value
    }

    /// Calls `body` with each event of a PCR and the value after it, until `body` returns false.
    public func walk(pcr: Int, _ body: (Event, [UInt8]) -> Bool) {
        var value = startValue(ofPCR: pcr)
        for index in log.records.indices {
            let record = log.records[index]
            guard Int(record.pcr) == pcr, record.type != EventType.noAction.rawValue else { continue }
            hash.extend(&value, with: log.bytes[range(of: record)])
            guard body(log[index], value) else { return }
        }
    }

    /// The first event after the PCR held one of `expected`: the one that moved it away. `nil` when it never held any of them, or
    /// still does.
    public func firstEvent(leaving expected: [[UInt8]], pcr: Int) -> Event? {
        guard !expected.contains(value(ofPCR: pcr)) else { return nil }
        var held = expected.contains(startValue(ofPCR: pcr))
        var leaving: Event?
        walk(pcr: pcr) { event, value in
            if expected.contains(value) {
                held = true
                leaving = nil
            } else if held {
                leaving = event
                held = false
            }
            return true
        }
        return leaving
    }

    /// The last event of a PCR.
    public func lastEvent(ofPCR pcr: Int) -> Event? {
        let index = log.records.lastIndex { Int($0.pcr) == pcr && $0.type != EventType.noAction.rawValue }
        return index.map { log[$0] }
    }
}

extension EventLog {
    /// From which locality the TPM was started: 4 after an H-CRTM, else what the StartupLocality event says, else 0.
    var startupLocality: UInt8 {
        for record in records where record.pcr == 0 {
            if record.type == EventType.efiHCRTMEvent.rawValue { return 4 }
            guard record.type == EventType.noAction.rawValue else { continue }
            let data = bytes[record.dataStart..<record.dataEnd]
            guard data.count == 17, data.starts(with: "StartupLocality\0".utf8), let locality = data.last else {
                continue
            }
            // Localities from which TPM2_Startup can come (§10.4.5.3); anything else is not a start value.
            if locality == 0 || locality == 3 || locality == 4 { return locality }
        }
        return 0
    }
}
