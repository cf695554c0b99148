package import CarnetRecords
package import CarnetStorage
import StrictEncoding

/// Endorsement keys that operators vouch for: TPMs without a certificate, or machines that need no approval by hand.
package struct EndorsementKeyRegister: Sendable {
    private let ledger: Ledger

    /// The register in the ledger\'s database.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The same, with the chain of a writer that has no name of its own.
    package init(_ database: any SQLDatabase) { self.init(Ledger(database)) }

    /// One registered key.
    package struct Entry: Sendable, Hashable {
        /// SHA-256 of the key's SubjectPublicKeyInfo.
        package let digest: [UInt8]
        /// The only name under which the key may enrol; `nil` for any.
        package let nodeName: String?
        /// When it was registered, in seconds since 1970.
        package let createdAt: Int64
        /// The identifier of the API token that registered it.
        package let createdBy: String
    }

    /// A page of the entries, oldest first.
    ///
    /// - Throws: ``Problem`` for a page that begins nowhere.
    package func list(_ page: PageRequest = PageRequest()) async throws -> Page<Entry> {
        let after = try AgeCursor(after: page.after)
        guard let digest = Hexadecimal.decode(after.key) else { throw AgeCursor.unknown }
        let rows = try await ledger.read { connection in
            try connection.rows(
                """
                SELECT * FROM registered_endorsement_keys
                WHERE created_at > \(after.time) OR (created_at = \(after.time) AND digest > \(digest))
                ORDER BY created_at, digest LIMIT \(page.rowCount)
                """)
        }
        return Page(try rows.map(Self.entry), limit: page.limit) { entry in
            AgeCursor(entry.createdAt, Hexadecimal.encode(entry.digest)).description
        }
    }

    /// The entry for a key.
    package func entry(_ digest: [UInt8]) async throws -> Entry? {
        try await ledger.read { try Self.entry(digest, in: $0) }
    }

    static func entry(_ digest: [UInt8], in connection: any SQLConnection) throws -> Entry? {
        try connection.row("SELECT * FROM registered_endorsement_keys WHERE digest = \(digest)").map(entry)
    }

    /// Registers a key.
    ///
    /// - Throws: ``StorageError/Code/conflict`` when the key or the name is registered already.
    package func add(_ digest: [UInt8], nodeName: String?, by creator: String, now: Int64) async throws -> Entry {
        try await ledger.change(at: now) { connection in
            let known = try connection.row("SELECT 1 FROM nodes WHERE name = \(nodeName) AND ek_digest <> \(digest)")
            guard known == nil else {
                throw StorageError(.conflict, "a node of this name is enrolled with another endorsement key")
            }
            try connection.execute("DELETE FROM removed_endorsement_keys WHERE digest = \(digest)")
            try connection.execute(
                """
                INSERT INTO registered_endorsement_keys (digest, node_name, created_at, created_by)
                VALUES (\(digest), \(nodeName), \(now), \(creator))
                """)
            return .recorded(
                (),
                .operation(
                    OperatorAction(
                        .endorsementKeyRegistered, Hexadecimal.encode(digest), by: creator,
                        details: nodeName.map { ["name": $0] } ?? [:])))
        }
        return Entry(digest: digest, nodeName: nodeName, createdAt: now, createdBy: creator)
    }

    /// Removes a key. Machines that enrolled with it stay.
    ///
    /// - Parameter remover: The identifier of the API token with which it is removed.
    /// - Returns: Whether it was registered.
    package func remove(_ digest: [UInt8], by remover: String, now: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            guard try connection.execute("DELETE FROM registered_endorsement_keys WHERE digest = \(digest)") == 1 else {
                return .nothing(false)
            }
            return .recorded(
                true, .operation(OperatorAction(.endorsementKeyRemoved, Hexadecimal.encode(digest), by: remover)))
        }
    }

    private static func entry(_ row: SQLRow) throws(StorageError) -> Entry {
        Entry(
            digest: try row.bytes("digest"), nodeName: try row.optionalText("node_name"),
            createdAt: try row.integer("created_at"), createdBy: try row.text("created_by"))
    }
}
