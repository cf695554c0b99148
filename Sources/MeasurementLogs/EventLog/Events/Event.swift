public import TPM2

/// One event of a log: a view that copies nothing.
public struct Event: Sendable {
    /// Its number in the log, from 0, the Spec ID event not counted.
    public let index: Int
    private let log: EventLog
    private let record: EventLog.Record

    init(index: Int, log: EventLog) {
        self.index = index
        self.log = log
        record = log.records[index]
    }

    /// The PCR that was extended, 0 to 23.
    public var pcr: Int { Int(record.pcr) }

    /// Whether the running system measured it, after firmware and boot loaders: a record of systemd's log.
    public var isRuntime: Bool { log.runtime != nil && index >= log.firmwareCount }

    /// The record of systemd's log that this event is; `nil` for the firmware's.
    public var runtimeRecord: RuntimeRecord? { isRuntime ? log.runtime?.pcrRecords[index - log.firmwareCount] : nil }

    /// What the log calls the event. No digest covers it.
    public var untrustedType: EventType { EventType(rawValue: record.type) }

    /// What the log says about the event. A digest covers it only where ``binding(in:)`` says ``Binding/bound``.
    public var untrustedData: ArraySlice<UInt8> { log.bytes[record.dataStart..<record.dataEnd] }

    /// The digest with which a bank was extended; `nil` for a bank that the log does not have.
    public func digest(in bank: TPM.AlgorithmID) -> ArraySlice<UInt8>? {
        log.digestRange(of: bank).map {
            log.bytes[(record.digestsStart + $0.lowerBound)..<(record.digestsStart + $0.upperBound)]
        }
    }

    /// Whether the event extends its PCR: all do, except those of type EV_NO_ACTION.
    public var isMeasured: Bool { record.type != EventType.noAction.rawValue }
}
