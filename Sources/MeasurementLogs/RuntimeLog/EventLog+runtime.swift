internal import TPM2

extension EventLog {
    /// The PCRs that the running system may extend: not the firmware's 0 to 7, not IMA's, not those of a dynamic launch.
    ///
    /// An event of the firmware that were moved here would escape every rule about the firmware's own events.
    private static let runtimePCRs: Set<Int> = [8, 9, 11, 12, 13, 14, 15, 16, 23]

    /// This log, and behind its events the runtime log's measurements into PCRs: the two explain PCRs 9, 11, 12, 13 and 15 together.
    ///
    /// The new events replay, explain and summarise as the firmware's do. Banks in which systemd did not make every measurement can no
    /// longer be replayed.
    ///
    /// - Throws: ``RuntimeLogError/foreignPCR(record:pcr:)`` for a PCR that is not the running system's, and
    ///   ``RuntimeLogError/alreadySpliced``.
    public func appending(_ runtime: RuntimeLog) throws(RuntimeLogError) -> EventLog {
        guard self.runtime == nil else { throw .alreadySpliced }
        var bytes = bytes
        var records = records
        for (index, record) in runtime.records.enumerated() {
            guard case .pcr(let pcr) = record.register else { continue }
            guard Self.runtimePCRs.contains(pcr) else { throw .foreignPCR(record: index, pcr: pcr) }
            let digestsStart = bytes.count
            for bank in banks {
                bytes += [0, 0]
                bytes += record.digests[bank.algorithm] ?? [UInt8](repeating: 0, count: bank.digestByteCount)
            }
            let dataStart = bytes.count
            bytes += Array((record.untrustedText ?? "").utf8)
            records.append(
                Record(
                    pcr: UInt32(pcr), type: EventType.runtimeMeasurement.rawValue, digestsStart: digestsStart,
                    dataStart: dataStart, dataEnd: bytes.count))
        }
        return EventLog(banks: banks, bytes: bytes, records: records, runtime: runtime)
    }
}
