package import CarnetRecords
import CarnetService
import CarnetStorage
import StrictEncoding

extension PolicyStore {
    /// What lists say of a policy: all but its text, which may have a megabyte.
    package struct Summary: Sendable, Hashable {
        /// SHA-256 of the text.
        package let digest: [UInt8]
        /// The policy's own identifier; several texts may share one.
        package let id: String
        /// When it was stored, in seconds since 1970.
        package let createdAt: Int64
        /// The identifier of the API token that stored it.
        package let createdBy: String

        init(row: SQLRow) throws(StorageError) {
            digest = try row.bytes("digest")
            id = try row.text("id")
            createdAt = try row.integer("created_at")
            createdBy = try row.text("created_by")
        }

        init(_ record: Record) {
            digest = record.digest
            id = record.id
            createdAt = record.createdAt
            createdBy = record.createdBy
        }
    }

    /// A page of the policies, oldest first.
    ///
    /// - Throws: ``Problem`` for a page that begins nowhere.
    package func list(_ page: PageRequest = PageRequest()) async throws -> Page<Summary> {
        let after = try AgeCursor(after: page.after)
        guard let digest = Hexadecimal.decode(after.key) else { throw AgeCursor.unknown }
        let rows = try await ledger.read { connection in
            try connection.rows(
                """
                SELECT digest, id, created_at, created_by FROM policies
                WHERE created_at > \(after.time) OR (created_at = \(after.time) AND digest > \(digest))
                ORDER BY created_at, digest LIMIT \(page.rowCount)
                """)
        }
        return Page(try rows.map(Summary.init(row:)), limit: page.limit) { policy in
            AgeCursor(policy.createdAt, Hexadecimal.encode(policy.digest)).description
        }
    }

    /// The digests of the active versions.
    package func activeDigests() async throws -> Set<[UInt8]> {
        let rows = try await ledger.read { connection in
            try connection.rows(
                """
                SELECT digest FROM policy_activations AS newest
                WHERE number = (SELECT MAX(number) FROM policy_activations AS other WHERE other.id = newest.id)
                """)
        }
        return Set(try rows.map { try $0.bytes("digest") })
    }
}
