import CarnetService
package import CarnetStorage

extension APITokenStore {
    /// What became of a request to revoke a token.
    package enum Revocation: Sendable { case revoked, unknown, lastAdministrator }

    /// Revokes a token. The last administrator's stays, or nobody could give out another.
    ///
    /// - Parameter revoker: The identifier of the token with which it is done.
    package func revoke(_ id: String, by revoker: String, now: Int64) async throws -> Revocation {
        try await ledger.change(at: now) { connection in
            guard let row = try connection.row("SELECT name, role FROM api_tokens WHERE id = \(id)") else {
                return .nothing(.unknown)
            }
            func action(isDone: Bool) throws(StorageError) -> LedgerEvent {
                .operation(
                    OperatorAction(
                        .tokenRevoked, id, by: revoker, isDone: isDone,
                        details: ["name": try row.text("name"), "role": try row.text("role")]))
            }
            let administrators = try Self.administrators(at: now, connection)
            if administrators == [id] { return .recorded(.lastAdministrator, try action(isDone: false)) }
            try connection.execute("DELETE FROM api_tokens WHERE id = \(id)")
            return .recorded(.revoked, try action(isDone: true))
        }
    }

    /// The identifiers of administrators' tokens that have not expired, two at most.
    package static func administrators(at now: Int64, _ connection: any SQLConnection) throws(StorageError) -> [String]
    {
        try connection.rows(
            """
            SELECT id FROM api_tokens WHERE role = \(Role.admin.rawValue) AND expired_at IS NULL
            AND (expires_at IS NULL OR expires_at > \(now)) LIMIT 2
            """
        ).map { row throws(StorageError) in try row.text("id") }
    }
}
