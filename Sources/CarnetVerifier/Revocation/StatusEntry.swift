import CarnetRecords
import CarnetResult
import CarnetStorage
import Cryptography

/// Where the status of one token is kept: a place that was picked at random and belongs to no other token, ever.
package struct StatusEntry: Sendable, Hashable {
    /// The list.
    package let list: StatusListID
    /// The index into it.
    package let index: Int

    /// What the token says of it.
    func reference(issuer: String) -> StatusReference? { StatusReference(uri: list.uri(issuer: issuer), index: index) }

    /// How often an index is picked in one list before the next is tried.
    private static let attempts = 4
    /// How many old entries each new one clears away: fewer come in than go out, and no token waits for a whole hour's worth.
    private static let clearedPerEntry: Int64 = 16

    /// Gives the token of a ledger entry a place, in the transaction that writes the entry.
    ///
    /// The pick is random and a unique key decides, so replicas need not agree on a counter, and an index tells nothing about which
    /// machine or in which order. A token whose issuing began before its node, policy or time was withdrawn is withdrawn with them.
    ///
    /// - Parameters:
    ///   - expiry: When the token expires, in seconds since 1970.
    ///   - latest: The number of the newest decision before its issuing began.
    static func assign(
        to token: LedgerEntry, expiry: Int64, after latest: Int64, in connection: any SQLConnection
    ) throws(StorageError) -> StatusEntry {
        try clear(at: token.time, in: connection)
        let entry = try place(token, expiry, in: connection)
        if let revocation = try Revocations.covering(token, after: latest, in: connection) {
            try connection.execute(
                """
                INSERT INTO revoked_entries (hour, list, position, revocation)
                VALUES (\(entry.list.hour), \(entry.list.number), \(Int64(entry.index)), \(revocation))
                """)
            try connection.execute(
                """
                UPDATE status_lists SET version = version + 1
                WHERE hour = \(entry.list.hour) AND list = \(entry.list.number)
                """)
        }
        return entry
    }

    private static func place(
        _ token: LedgerEntry, _ expiry: Int64, in connection: any SQLConnection
    ) throws(StorageError) -> StatusEntry {
        let hour = StatusListID.hour(of: expiry)
        for number in 0...StatusListID.maximumNumber {
            for _ in 0..<attempts {
                let index = randomIndex()
                let count = try connection.execute(
                    """
                    INSERT INTO status_entries (hour, list, position, token_id, node_id, policy_digest, issued_at, expires_at)
                    VALUES (\(hour), \(number), \(Int64(index)), \(token.tokenID), \(token.nodeID), \(token.policyDigest),
                        \(token.time), \(expiry))
                    ON CONFLICT (hour, list, position) DO NOTHING
                    """)
                guard count == 1 else { continue }
                try connection.execute(
                    """
                    INSERT INTO status_lists (hour, list, version) VALUES (\(hour), \(number), 0)
                    ON CONFLICT (hour, list) DO NOTHING
                    """)
                return StatusEntry(list: StatusListID(hour: hour, number: number), index: index)
            }
        }
        throw StorageError(.unavailable, "the status lists of hour \(hour) are full")
    }

    /// An index below ``StatusListID/entryCount``, which is a power of two.
    private static func randomIndex() -> Int {
        SecureRandom.bytes(4).reduce(0) { $0 << 8 | Int($1) } & (StatusListID.entryCount - 1)
    }

    /// Forgets entries of lists that have retired. An index of a list that is served is never free again.
    private static func clear(at now: Int64, in connection: any SQLConnection) throws(StorageError) {
        let oldest = StatusListID.hour(of: max(0, now - StatusListID.leeway))
        try connection.execute(
            """
            DELETE FROM status_entries WHERE token_id IN
                (SELECT token_id FROM status_entries WHERE hour < \(oldest) LIMIT \(clearedPerEntry))
            """)
        try connection.execute("DELETE FROM status_lists WHERE hour < \(oldest)")
        try connection.execute(
            """
            DELETE FROM revoked_entries WHERE (hour, list, position) IN
                (SELECT hour, list, position FROM revoked_entries WHERE hour < \(oldest) LIMIT \(clearedPerEntry))
            """)
    }
}
