package import CarnetRecords
import CarnetService
import CarnetStorage
import StrictEncoding

/// The release policies, each under its identifier.
package struct ReleasePolicyStore: Sendable {
    private let ledger: Ledger

    /// The policies in the ledger's database.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The most policies: each release looks at all of them.
    package static let maximumCount = 256

    /// A policy, with who stored it.
    package struct Record: Sendable {
        package let policy: ReleasePolicy
        /// Seconds since 1970.
        package let storedAt: Int64
        /// The identifier of the API token with which it was stored.
        package let storedBy: String
    }

    /// Stores a policy in place of one with the same identifier; it counts at once.
    package func store(_ policy: ReleasePolicy, by operatorID: String, now: Int64) async throws {
        try await ledger.change(at: now) { connection in
            let others = try connection.rows("SELECT id FROM release_policies WHERE id <> \(policy.id)").count
            guard others < Self.maximumCount else { throw Problem.full("release policies", Self.maximumCount) }
            try connection.execute(
                """
                INSERT INTO release_policies (id, text, stored_at, stored_by)
                VALUES (\(policy.id), \(policy.text), \(now), \(operatorID))
                ON CONFLICT (id) DO UPDATE SET text = excluded.text, stored_at = excluded.stored_at,
                    stored_by = excluded.stored_by
                """)
            return .recorded(
                (),
                .operation(
                    OperatorAction(
                        .policyStored, policy.id, by: operatorID,
                        details: ["sha256": Hexadecimal.encode(policy.digest)])))
        }
    }

    /// All policies by identifier.
    ///
    /// - Throws: Also when one of them cannot be read: then nothing is decided, rather than without it.
    package func all() async throws -> [Record] {
        try await ledger.read { try Self.all(in: $0) }
    }

    static func all(in connection: any SQLConnection) throws -> [Record] {
        try connection.rows("SELECT * FROM release_policies ORDER BY id").map { row in
            Record(
                policy: try ReleasePolicy(parsing: row.bytes("text")), storedAt: try row.integer("stored_at"),
                storedBy: try row.text("stored_by"))
        }
    }

    /// Removes a policy.
    ///
    /// - Returns: Whether there was one.
    package func remove(_ id: String, by operatorID: String, now: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            let count = try connection.execute("DELETE FROM release_policies WHERE id = \(id)")
            return count == 0
                ? .nothing(false) : .recorded(true, .operation(OperatorAction(.policyRemoved, id, by: operatorID)))
        }
    }
}
