internal import CarnetEvidence

extension LogSources {
    /// The firmware's event log, as far as it is wanted.
    func readEventLog(_ wanted: EvidenceRequirements.Log) throws(LogError) -> [UInt8]? {
        try Self.read(.event, eventLog, wanted, maximum: Evidence.maximumEventLogByteCount)
    }

    /// systemd's log, as far as it is wanted.
    func readRuntimeLog(_ wanted: EvidenceRequirements.Log) throws(LogError) -> [UInt8]? {
        try Self.read(.runtime, runtimeLog, wanted, maximum: Evidence.maximumRuntimeLogByteCount)
    }

    private static func read(
        _ kind: LogKind, _ source: Source, _ wanted: EvidenceRequirements.Log, maximum: Int
    ) throws(LogError) -> [UInt8]? {
        guard wanted != .none else { return nil }
        var bytes: [UInt8] = []
        let presence = try LogReader(kind: kind, source: source).forEachPiece { piece throws(LogError) in
            bytes += piece
            guard bytes.count <= maximum else { throw .tooLarge(kind, source.path, maximum) }
            return true
        }
        guard case .absent(let reason) = presence else { return bytes }
        guard wanted != .required else { throw .missing(kind, source.path, reason) }
        return nil
    }

    /// The kernel's list from entry number `offset` on; the whole list where it has fewer entries, or is not what a kernel writes.
    ///
    /// The list is read once, and once more when it turns out that all of it is to be sent.
    func readIMAList(from offset: Int?) throws(LogError) -> Evidence.IMA? {
        guard let offset else { return nil }
        if let entries = try readIMAEntries(from: offset) { return Evidence.IMA(offset: offset, entries: entries) }
        guard offset > 0, let whole = try readIMAEntries(from: 0) else { return nil }
        return Evidence.IMA(offset: 0, entries: whole)
    }

    /// The bytes from an entry on; `nil` when the list does not have that many entries before it.
    private func readIMAEntries(from offset: Int) throws(LogError) -> [UInt8]? {
        var walker = IMAEntryWalker(passing: offset), bytes: [UInt8] = []
        let maximum = Evidence.IMA.maximumByteCount
        let presence = try LogReader(kind: .ima, source: imaList).forEachPiece { piece throws(LogError) in
            bytes += walker.pass(piece)
            guard bytes.count <= maximum else { throw .tooLarge(.ima, imaList.path, maximum) }
            return !walker.isLost
        }
        if case .absent(let reason) = presence { throw .missing(.ima, imaList.path, reason) }
        return walker.hasArrived ? bytes : nil
    }
}
