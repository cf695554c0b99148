import CarnetLedger
import CarnetService
import CarnetStorage

/// Drops old entries so that what stays can still be checked: each chain begins at the head that a signed checkpoint names, and an entry
/// says which checkpoint it was.
package struct LedgerRetention: Sendable {
    package let ledger: Ledger
    package let clock: WallClock

    /// Retention of a ledger.
    package init(ledger: Ledger, clock: WallClock) {
        self.ledger = ledger
        self.clock = clock
    }

    /// What is younger than this is never dropped, in seconds: much longer than any challenge lives.
    package static let minimumAge: Int64 = 86_400
    /// What a challenge that does not run out is remembered until.
    private static let forever = Int64.max

    /// Drops what the newest checkpoint from before a time speaks of, but its heads.
    ///
    /// - Returns: What was dropped; `nil` when no checkpoint is so old.
    /// - Throws: ``Problem``, 400, for a time that is too near.
    package func prune(before time: Int64, by operatorID: String) async throws -> LedgerPruning? {
        let now = clock.now
        guard time <= now - Self.minimumAge else {
            throw Problem.malformed("Entries stay for at least a day: give an earlier time.", member: "before")
        }
        return try await ledger.change(at: now) { connection in
            let row = try connection.row(
                "SELECT * FROM ledger_checkpoints WHERE time <= \(time) ORDER BY number DESC LIMIT 1")
            guard let row, let checkpoint = UnverifiedCheckpoint(parsing: try row.bytes("statement")) else {
                return .nothing(LedgerPruning?.none)
            }
            var count: Int64 = 0
            for head in checkpoint.unverifiedContent.heads { count += Int64(try Self.drop(head, connection)) }
            guard count > 0 else { return .nothing(nil) }
            let pruning = LedgerPruning(
                before: time, checkpoint: checkpoint.unverifiedContent.number, count: count, by: operatorID)
            return .recorded(pruning, .prune(pruning))
        }
    }

    /// Drops a chain's entries before a head that is there as it was signed. Challenges that do not run out stay used.
    private static func drop(_ head: LedgerHead, _ connection: any SQLConnection) throws(StorageError) -> Int {
        if let writer = Ledger.older(head.chain) {
            let hash = try connection.row(
                "SELECT hash FROM appraisals WHERE writer = \(writer) AND number = \(head.number)")?.bytes("hash")
            guard hash == head.hash else { return 0 }
            try connection.execute(
                """
                INSERT INTO used_challenges (digest, expires_at)
                SELECT challenge_digest, \(forever) FROM appraisals
                WHERE writer = \(writer) AND number < \(head.number) AND kind = 'background-check'
                ON CONFLICT (digest) DO NOTHING
                """)
            return try connection.execute(
                "DELETE FROM appraisals WHERE writer = \(writer) AND number < \(head.number)")
        }
        let hash = try connection.row(
            "SELECT hash FROM ledger WHERE chain = \(head.chain) AND number = \(head.number)")?.bytes("hash")
        guard hash == head.hash else { return 0 }
        try connection.execute(
            """
            INSERT INTO used_challenges (digest, expires_at)
            SELECT challenge, \(forever) FROM ledger
            WHERE chain = \(head.chain) AND number < \(head.number) AND kind = 'background-check'
                AND challenge IS NOT NULL
            ON CONFLICT (digest) DO NOTHING
            """)
        return try connection.execute("DELETE FROM ledger WHERE chain = \(head.chain) AND number < \(head.number)")
    }
}
