package import CarnetRecords
package import CarnetStorage
import CarnetLedger
import StrictEncoding

/// Policies as they were written, and which of them is active.
package struct PolicyStore: Sendable {
    let ledger: Ledger

    /// The policies in the ledger\'s database.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The same, with the chain of a writer that has no name of its own.
    package init(_ database: any SQLDatabase) { self.init(Ledger(database)) }

    /// One policy.
    package struct Record: Sendable, Hashable {
        /// SHA-256 of the text.
        package let digest: [UInt8]
        /// The policy's own identifier; several texts may share one.
        package let id: String
        /// The text, byte for byte.
        package let text: [UInt8]
        /// When it was stored, in seconds since 1970.
        package let createdAt: Int64
        /// The identifier of the API token that stored it.
        package let createdBy: String

        /// A policy.
        package init(digest: [UInt8], id: String, text: [UInt8], createdAt: Int64, createdBy: String) {
            self.digest = digest
            self.id = id
            self.text = text
            self.createdAt = createdAt
            self.createdBy = createdBy
        }

        init(row: SQLRow) throws(StorageError) {
            self.init(
                digest: try row.bytes("digest"), id: try row.text("id"), text: try row.bytes("text"),
                createdAt: try row.integer("created_at"), createdBy: try row.text("created_by"))
        }
    }

    /// Stores a policy. One that is there already stays as it is.
    package func add(_ policy: Record) async throws {
        try await ledger.change(at: policy.createdAt) { connection in
            let count = try connection.execute(
                """
                INSERT INTO policies (digest, id, text, created_at, created_by)
                VALUES (\(policy.digest), \(policy.id), \(policy.text), \(policy.createdAt), \(policy.createdBy))
                ON CONFLICT (digest) DO NOTHING
                """)
            guard count == 1 else { return .nothing(()) }
            return .recorded((), Self.action(.policyStored, policy.id, policy.digest, by: policy.createdBy))
        }
    }

    /// The policy with a digest.
    package func policy(_ digest: [UInt8]) async throws -> Record? {
        try await ledger.read { try $0.row("SELECT * FROM policies WHERE digest = \(digest)") }
            .map(Record.init(row:))
    }

    /// Makes a stored policy the active version of its identifier. What was active before is kept as history.
    ///
    /// - Returns: Whether there is such a policy.
    package func activate(_ digest: [UInt8], by activator: String, now: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            guard let row = try connection.row("SELECT id FROM policies WHERE digest = \(digest)") else {
                return .nothing(false)
            }
            let id = try row.text("id")
            guard try Self.append(id, digest, activator, now, connection) else { return .nothing(true) }
            return .recorded(true, Self.action(.policyActivated, id, digest, by: activator))
        }
    }

    /// Takes a policy out of use: machines that it was for fall to the next that selects them, or to none.
    ///
    /// - Returns: Whether a version of it was active.
    package func deactivate(_ id: String, by activator: String, now: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            guard let present = try Self.versions(of: id, connection).first, !present.isEmpty else {
                return .nothing(false)
            }
            try Self.append(id, [], activator, now, connection)
            return .recorded(true, Self.action(.policyDeactivated, id, present, by: activator))
        }
    }

    /// Makes the version active that was active before the present one.
    ///
    /// - Parameter expected: What ``earlier(_:)`` said: when operators changed something meanwhile, nothing is done.
    /// - Returns: Whether it is active now.
    package func rollBack(_ id: String, to expected: [UInt8], by activator: String, now: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            guard try Self.earlier(id, connection) == expected else { return .nothing(false) }
            try Self.append(id, expected, activator, now, connection)
            return .recorded(true, Self.action(.policyRolledBack, id, expected, by: activator))
        }
    }

    /// The digest of the version to which a policy would be rolled back; `nil` when there is none.
    package func earlier(_ id: String) async throws -> [UInt8]? {
        try await ledger.read { try Self.earlier(id, $0) }
    }

    /// The one that was active before the present one became so for the first time: whoever rolls back twice goes back two versions, and
    /// not forth again.
    private static func earlier(_ id: String, _ connection: any SQLConnection) throws -> [UInt8]? {
        let versions = try versions(of: id, connection)
        guard let present = versions.first, let first = versions.lastIndex(of: present) else { return nil }
        return versions[first...].first { $0 != present && !$0.isEmpty }
    }

    /// Whether a policy is or ever was active.
    package func wasActivated(_ digest: [UInt8]) async throws -> Bool {
        try await ledger.read { try $0.row("SELECT 1 FROM policy_activations WHERE digest = \(digest)") != nil }
    }

    /// The active version of each policy, the one that was activated last first.
    package func active() async throws -> [Record] {
        let rows = try await ledger.read { connection in
            try connection.rows(
                """
                SELECT policies.* FROM policy_activations AS newest
                JOIN policies ON policies.digest = newest.digest
                WHERE newest.number =
                    (SELECT MAX(number) FROM policy_activations AS other WHERE other.id = newest.id)
                ORDER BY newest.number DESC
                """)
        }
        return try rows.map(Record.init(row:))
    }

    /// The active versions, and those to which they can be rolled back.
    package func inReach() async throws -> [Record] {
        var records = try await active()
        for record in records {
            guard let digest = try await earlier(record.id), let earlier = try await policy(digest) else { continue }
            records.append(earlier)
        }
        return records
    }

    /// The digests that were active under an identifier, the present one first.
    private static func versions(of id: String, _ connection: any SQLConnection) throws -> [[UInt8]] {
        try connection.rows("SELECT digest FROM policy_activations WHERE id = \(id) ORDER BY number DESC")
            .map { try $0.bytes("digest") }
    }

    private static func action(
        _ action: OperatorAction.Action, _ id: String, _ digest: [UInt8], by operatorID: String
    ) -> LedgerEvent {
        .operation(OperatorAction(action, id, by: operatorID, details: ["sha256": Hexadecimal.encode(digest)]))
    }

    /// - Returns: Whether that changed anything.
    @discardableResult
    private static func append(
        _ id: String, _ digest: [UInt8], _ activator: String, _ now: Int64, _ connection: any SQLConnection
    ) throws -> Bool {
        if try versions(of: id, connection).first == digest { return false }
        let last = try connection.row("SELECT number FROM policy_activations ORDER BY number DESC LIMIT 1")
        let number = try last.map { try $0.integer("number") } ?? -1
        guard (-1..<LedgerEntryRecord.maximumNumber).contains(number) else {
            throw StorageError(.unexpectedValue, "the number of the last activation is none")
        }
        try connection.execute(
            """
            INSERT INTO policy_activations (number, id, digest, activated_at, activated_by)
            VALUES (\(number + 1), \(id), \(digest), \(now), \(activator))
            """)
        return true
    }
}
