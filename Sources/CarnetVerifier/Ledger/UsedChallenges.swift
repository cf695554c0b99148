import CarnetRecords
import CarnetStorage

/// Challenges that were answered. Their digests are unique here, whatever else is written about the answer; they are kept until the
/// challenge would be refused for its age.
enum UsedChallenges {
    /// Longer than clocks of replicas differ, in seconds.
    private static let slack: Int64 = 3600

    /// Uses the challenge of an entry.
    ///
    /// - Returns: Whether it was unused. The challenge of a background check never runs out: the ledger remembers it, and this table
    ///   once its entry was pruned.
    static func use(_ entry: LedgerEntry, in connection: any SQLConnection) throws(StorageError) -> Bool {
        guard let expiry = entry.challengeExpiresAt else {
            let digest = entry.challengeDigest
            return try connection.row("SELECT 1 FROM used_challenges WHERE digest = \(digest)") == nil
        }
        return try use(entry.challengeDigest, until: expiry, at: entry.time, in: connection)
    }

    /// Uses a challenge that runs out.
    ///
    /// - Parameters:
    ///   - expiry: When it does, in seconds since 1970.
    ///   - now: Seconds since 1970.
    /// - Returns: Whether it was unused.
    static func use(
        _ digest: [UInt8], until expiry: Int64, at now: Int64, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        try connection.execute("DELETE FROM used_challenges WHERE expires_at < \(now - slack)")
        return try connection.execute(
            """
            INSERT INTO used_challenges (digest, expires_at) VALUES (\(digest), \(expiry))
            ON CONFLICT (digest) DO NOTHING
            """) == 1
    }
}
