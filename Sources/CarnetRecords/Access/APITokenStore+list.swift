import CarnetService
import CarnetStorage

extension APITokenStore {
    /// A page of the tokens' records, oldest first.
    ///
    /// - Throws: ``Problem`` for a page that begins nowhere.
    package func list(_ page: PageRequest = PageRequest()) async throws -> Page<Record> {
        let after = try AgeCursor(after: page.after)
        let rows = try await ledger.read { connection in
            try connection.rows(
                """
                SELECT id, name, role, created_at, created_by, expires_at, expired_at, last_used_at FROM api_tokens
                WHERE created_at > \(after.time) OR (created_at = \(after.time) AND id > \(after.key))
                ORDER BY created_at, id LIMIT \(page.rowCount)
                """)
        }
        let list = try Page(rows, limit: page.limit) { row in
            AgeCursor(try row.integer("created_at"), try row.text("id")).description
        }
        return try list.compactMap { row in
            guard let role = Role(rawValue: try row.text("role")) else { return nil }
            return Record(
                id: try row.text("id"), name: try row.text("name"), role: role,
                createdAt: try row.integer("created_at"), createdBy: try row.text("created_by"),
                expiresAt: try row.optionalInteger("expires_at"),
                hasExpired: try row.optionalInteger("expired_at") != nil,
                lastUsedAt: try row.optionalInteger("last_used_at"))
        }
    }
}
