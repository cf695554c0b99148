package import CarnetStorage
import Cryptography

/// The decisions of operators that passports end early: written, with who and why, in the transaction that ends them.
package struct Revocations: Sendable {
    private let database: any SQLDatabase

    /// The decisions in `database`.
    package init(_ database: any SQLDatabase) { self.database = database }

    /// Ends passports.
    ///
    /// - Returns: The decision, or `nil` when there is no such living token, node or policy.
    package func revoke(
        _ target: Revocation.Target, reason: String, by operatorID: String, now: Int64
    ) async throws -> Revocation? {
        try await database.write { connection in
            guard try Self.exists(target, at: now, in: connection) else { return nil }
            return try Self.revoke(target, reason: reason, by: operatorID, now: now, in: connection)
        }
    }

    /// The newest decisions, at most `limit`.
    package func newest(_ limit: Int) async throws -> [Revocation] {
        let limit = Int64(limit)
        return try await database.read { connection in
            try connection.rows("SELECT * FROM revocations ORDER BY number DESC LIMIT \(limit)")
        }.map(Revocation.init(row:))
    }

    /// Ends passports and writes down who did and why, here and in the ledger.
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
        guard try Ledger.append(LedgerEntry(revocation), Ledger.defaultWriter, connection) == .recorded else {
            throw StorageError(.conflict, "a random number came twice")
        }
        return revocation
    }

    /// The number of the newest decision; -1 before the first.
    func latest() async throws -> Int64 {
        try await database.read { connection in
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

extension LedgerEntry {
    /// What the ledger says of a decision: who, when, about what, and the digest of it all.
    init(_ revocation: Revocation) {
        var node: String?, token: String?, policy: [UInt8]?
        switch revocation.target {
        case .node(let id): node = id
        case .token(let id): token = id
        case .policy(let digest): policy = digest
        case .issuedBefore: break
        }
        // No challenge was answered; the column wants something that never comes twice.
        self.init(
            time: revocation.time, kind: .revocation, challengeDigest: SecureRandom.bytes(32),
            requester: revocation.decidedBy, nodeID: node, outcome: .revoked, policyDigest: policy,
            evidenceDigest: revocation.digest, tokenID: token, findings: Array("[]".utf8))
    }
}
