import CarnetRecords
import CarnetStorage
import MeasurementLogs

/// How far a machine's list of files was verified: good for one boot and one policy, and forgotten when either changes.
package struct IMAProgress: Sendable, Hashable {
    let resetCount: UInt32
    let policyDigest: [UInt8]
    let checkpoint: IMACheckpoint

    /// What is stored for a machine, if it is about this policy.
    static func of(
        _ node: String, policyDigest: [UInt8], in database: any SQLDatabase
    ) async throws -> IMAProgress? {
        let row = try await database.read { try $0.row("SELECT * FROM ima_checkpoints WHERE node_id = \(node)") }
        guard let row, try row.bytes("policy_digest") == policyDigest,
            let resetCount = UInt32(exactly: try row.integer("reset_count")),
            let checkpoint = IMACheckpoint(parsing: try row.bytes("checkpoint"))
        else { return nil }
        return IMAProgress(resetCount: resetCount, policyDigest: policyDigest, checkpoint: checkpoint)
    }

    /// How many entries of a machine's list are verified now; `nil` when none are.
    static func entryCount(of node: String, in connection: any SQLConnection) throws(StorageError) -> Int? {
        guard let row = try connection.row("SELECT checkpoint FROM ima_checkpoints WHERE node_id = \(node)") else {
            return nil
        }
        return IMACheckpoint(parsing: try row.bytes("checkpoint"))?.entryCount
    }

    /// Replaces what is stored; `nil` forgets it.
    static func store(
        _ progress: IMAProgress?, of node: String, in connection: any SQLConnection
    ) throws(StorageError) {
        guard let progress else {
            try connection.execute("DELETE FROM ima_checkpoints WHERE node_id = \(node)")
            return
        }
        try connection.execute(
            """
            INSERT INTO ima_checkpoints (node_id, reset_count, policy_digest, checkpoint)
            VALUES (\(node), \(Int64(progress.resetCount)), \(progress.policyDigest), \(progress.checkpoint.bytes))
            ON CONFLICT (node_id) DO UPDATE SET reset_count = excluded.reset_count,
                policy_digest = excluded.policy_digest, checkpoint = excluded.checkpoint
            """)
    }
}
