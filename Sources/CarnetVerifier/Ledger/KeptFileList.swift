import CarnetRecords
import CarnetAppraisal
import CarnetEvidence
import CarnetStorage

/// The kernel's list of one machine's boot, kept part after part, so that a new policy can be tried on the whole of it although machines
/// send only what is new.
enum KeptFileList {
    /// What evidence does to the list that is kept.
    enum Change: Sendable, Hashable {
        /// It came from its beginning: what was kept is about another boot, or has nothing that this one has not.
        case replace([UInt8])
        /// It went on from an entry to which it was verified.
        case append([UInt8], from: Int)
        /// It came in a part that goes on from nothing that is known, or did not come.
        case forget
    }

    /// The longest list that is kept, in bytes; of a longer one nothing is, and a rehearsal says so.
    static let maximumByteCount: Int64 = 48 << 20

    /// Stores what came of one machine. A part that does not go on from what is verified now (two answers at once) ends the list.
    static func store(_ change: Change, of node: String, in connection: any SQLConnection) throws(StorageError) {
        switch change {
        case .replace(let entries):
            try connection.execute("DELETE FROM ima_parts WHERE node_id = \(node)")
            try insert(entries, from: 0, node, connection)
        case .append(let entries, let first):
            guard try IMAProgress.entryCount(of: node, in: connection) == first else {
                return try store(.forget, of: node, in: connection)
            }
            let row = try connection.row("SELECT SUM(LENGTH(entries)) AS bytes FROM ima_parts WHERE node_id = \(node)")
            let kept = try row?.optionalInteger("bytes") ?? 0
            // Without its beginning, which was too long to keep, the rest would pass for a whole list.
            guard kept > 0, kept + Int64(entries.count) <= Self.maximumByteCount else {
                return try store(.forget, of: node, in: connection)
            }
            try connection.execute("DELETE FROM ima_parts WHERE node_id = \(node) AND first_entry >= \(Int64(first))")
            try insert(entries, from: first, node, connection)
        case .forget: try connection.execute("DELETE FROM ima_parts WHERE node_id = \(node)")
        }
    }

    /// The whole list of a machine; `nil` when none is kept.
    static func of(_ node: String, in connection: any SQLConnection) throws(StorageError) -> Evidence.IMA? {
        let parts = try connection.rows("SELECT entries FROM ima_parts WHERE node_id = \(node) ORDER BY first_entry")
        guard !parts.isEmpty else { return nil }
        var entries: [UInt8] = []
        for part in parts { entries += try part.bytes("entries") }
        return Evidence.IMA(offset: 0, entries: entries)
    }

    private static func insert(
        _ entries: [UInt8], from first: Int, _ node: String, _ connection: any SQLConnection
    ) throws(StorageError) {
        guard !entries.isEmpty else { return }
        try connection.execute(
            "INSERT INTO ima_parts (node_id, first_entry, entries) VALUES (\(node), \(Int64(first)), \(entries))")
    }
}

extension KeptFileList.Change {
    /// The list, if this is a whole one.
    var list: Evidence.IMA? {
        if case .replace(let entries) = self { Evidence.IMA(offset: 0, entries: entries) } else { nil }
    }

    /// What the list of evidence does, after it was appraised.
    init(_ sent: Evidence.IMA?, _ outcome: AppraisalOutcome) {
        guard let sent, case .verdict(let verdict) = outcome, let covered = verdict.imaCoveredByteCount else {
            self = .forget
            return
        }
        // What stands behind the quoted value comes again with the next part.
        let entries = verdict.imaCheckpoint == nil ? sent.entries : Array(sent.entries.prefix(covered))
        self = sent.offset == 0 ? .replace(entries) : .append(entries, from: sent.offset)
    }
}
