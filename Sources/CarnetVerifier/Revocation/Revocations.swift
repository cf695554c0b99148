package import CarnetRecords
package import CarnetStorage

/// The decisions of operators that passports end early: written, with who and why, in the transaction that ends them.
package struct Revocations: Sendable {
    private let ledger: Ledger

    /// The decisions in the ledger\'s database.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The same, with the chain of a writer that has no name of its own.
    package init(_ database: any SQLDatabase) { self.init(Ledger(database)) }

    /// Ends passports.
    ///
    /// - Returns: The decision, or `nil` when there is no such living token, node or policy.
    package func revoke(
        _ target: Revocation.Target, reason: String, by operatorID: String, now: Int64
    ) async throws -> Revocation? {
        try await ledger.change(at: now) { connection in
            guard try Self.exists(target, at: now, in: connection) else { return .nothing(Revocation?.none) }
            let revocation = try Self.revoke(target, reason: reason, by: operatorID, now: now, in: connection)
            return .recorded(revocation, .revocation(revocation))
        }
    }

    /// The newest decisions, at most `limit`.
    package func newest(_ limit: Int) async throws -> [Revocation] {
        let limit = Int64(limit)
        return try await ledger.read { connection in
            try connection.rows("SELECT * FROM revocations ORDER BY number DESC LIMIT \(limit)")
        }.map(Revocation.init(row:))
    }

    /// Ends passports and writes down who did and why. Whoever calls it tells the ledger.
    static func revoke(
        _ target: Revocation.Target, reason: String, by operatorID: String, now: Int64,
        in connection: any SQLConnection
    ) throws(StorageError) -> Revocation {
        let last = try connection.row("SELECT number FROM revocations ORDER BY number DESC LIMIT 1")
        let number = try last.map { row throws(StorageError) in try row.integer("number") + 1 } ?? 0
        let count = try end(target, number, now: now, in: connection)
        try connection.execute(
            """
            UPDATE status_lists SET version = version + 1 WHERE EXISTS
                (SELECT 1 FROM revoked_entries WHERE revoked_entries.revocation = \(number)
                    AND revoked_entries.hour = status_lists.hour AND revoked_entries.list = status_lists.list)
            """)
        let revocation = Revocation(
            number: number, time: now, target: target, reason: reason, decidedBy: operatorID, tokenCount: count)
        try connection.execute(
            """
            INSERT INTO revocations (number, time, kind, subject, reason, decided_by, token_count)
            VALUES (\(number), \(now), \(target.kind), \(target.subject), \(reason), \(operatorID), \(Int64(count)))
            """)
        return revocation
    }

    /// The number of the newest decision; -1 before the first.
    func latest() async throws -> Int64 {
        try await ledger.read { connection in
            try connection.row("SELECT number FROM revocations ORDER BY number DESC LIMIT 1")?.integer("number") ?? -1
        }
    }

    /// The decision that a token falls under whose issuing had begun when it was made.
    ///
    /// - Parameter latest: The newest decision before anything was read that the token's issuing depends on.
    static func covering(
        _ token: LedgerEntry, after latest: Int64, in connection: any SQLConnection
    ) throws(StorageError) -> Int64? {
        let rows = try connection.rows(
            "SELECT * FROM revocations WHERE number > \(latest) OR time >= \(token.time) ORDER BY number")
        for row in rows {
            let revocation = try Revocation(row: row)
            let isCovered =
                switch revocation.target {
                case .token(let id): id == token.tokenID
                case .node(let id): id == token.nodeID
                case .policy(let digest): digest == token.policyDigest
                case .issuedBefore(let time): token.time < time
                }
            if isCovered { return revocation.number }
        }
        return nil
    }

    /// Whether there is something to decide about. A time always is.
    private static func exists(
        _ target: Revocation.Target, at now: Int64, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        let oldest = now - StatusListID.leeway
        return switch target {
        case .token(let id):
            try connection.row("SELECT 1 FROM status_entries WHERE token_id = \(id) AND expires_at > \(oldest)") != nil
        case .node(let id):
            try connection.row(
                """
                SELECT 1 FROM nodes WHERE id = \(id)
                UNION SELECT 1 FROM status_entries WHERE node_id = \(id) AND expires_at > \(oldest)
                """) != nil
        case .policy(let digest): try connection.row("SELECT 1 FROM policies WHERE digest = \(digest)") != nil
        case .issuedBefore: true
        }
    }

    /// Writes the entries of the living tokens that are meant, and counts those that had not ended before.
    private static func end(
        _ target: Revocation.Target, _ number: Int64, now: Int64, in connection: any SQLConnection
    ) throws(StorageError) -> Int {
        let oldest = now - StatusListID.leeway
        return switch target {
        case .token(let id):
            try connection.execute(
                """
                INSERT INTO revoked_entries (hour, list, position, revocation)
                SELECT hour, list, position, \(number) FROM status_entries
                WHERE token_id = \(id) AND expires_at > \(oldest) ON CONFLICT (hour, list, position) DO NOTHING
                """)
        case .node(let id):
            try connection.execute(
                """
                INSERT INTO revoked_entries (hour, list, position, revocation)
                SELECT hour, list, position, \(number) FROM status_entries
                WHERE node_id = \(id) AND expires_at > \(oldest) ON CONFLICT (hour, list, position) DO NOTHING
                """)
        case .policy(let digest):
            try connection.execute(
                """
                INSERT INTO revoked_entries (hour, list, position, revocation)
                SELECT hour, list, position, \(number) FROM status_entries
                WHERE policy_digest = \(digest) AND expires_at > \(oldest)
                ON CONFLICT (hour, list, position) DO NOTHING
                """)
        case .issuedBefore(let time):
            try connection.execute(
                """
                INSERT INTO revoked_entries (hour, list, position, revocation)
                SELECT hour, list, position, \(number) FROM status_entries
                WHERE issued_at < \(time) AND expires_at > \(oldest) ON CONFLICT (hour, list, position) DO NOTHING
                """)
        }
    }
}
