public import TPM2

/// The log of what systemd measured in the running system: `/run/log/systemd/tpm2-measure.log`.
///
/// It is a sequence of JSON texts (RFC 7464) close to the TCG's Canonical Event Log, §5.4 "CEL-JSON"; systemd leaves out `recnum`.
/// As with the firmware's log nothing in it is authentic by itself: splice it behind the firmware's log with
/// ``EventLog/appending(_:)``, replay, and compare with a quote.
public struct RuntimeLog: Sendable {
    /// The records in order.
    public let records: [RuntimeRecord]
    /// Those of them that extended a PCR.
    public let pcrRecords: [RuntimeRecord]

    init(_ records: [RuntimeRecord]) {
        self.records = records
        pcrRecords = records.filter { if case .pcr = $0.register { true } else { false } }
    }

    /// Whether every measurement into a PCR was made in this bank too.
    public func measures(in bank: TPM.AlgorithmID) -> Bool { pcrRecords.allSatisfy { $0.digests[bank] != nil } }
}

/// Why bytes are not a log of systemd's, or a log that cannot follow the firmware's.
public enum RuntimeLogError: Error, Hashable, CustomStringConvertible {
    /// No bytes at all.
    case empty
    /// More bytes or records than are read.
    case tooLarge(String)
    /// A record, counted from 0, that is not what systemd writes.
    case malformed(record: Int, reason: String)
    /// A record says that the running system extended a PCR that belongs to firmware, boot loaders or IMA: their events are not to hide
    /// here.
    case foreignPCR(record: Int, pcr: Int)
    /// A record extends a PCR that the boot extends too, with something that systemd does not measure there.
    case foreignRecord(record: Int, pcr: Int)
    /// A runtime log was spliced already.
    case alreadySpliced

    /// A sentence that names the record.
    public var description: String {
        switch self {
        case .empty: "the runtime log is empty"
        case .tooLarge(let reason): "the runtime log is too large: \(reason)"
        case .malformed(let record, let reason): "record \(record) of the runtime log \(reason)"
        case .foreignPCR(let record, let pcr):
            "record \(record) of the runtime log extends PCR \(pcr), which is not the running system's"
        case .foreignRecord(let record, let pcr):
            "record \(record) of the runtime log extends PCR \(pcr) with what systemd does not measure there"
        case .alreadySpliced: "the log has a runtime log already"
        }
    }
}
