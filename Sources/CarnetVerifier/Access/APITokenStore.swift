package import CarnetService
package import CarnetStorage
import Cryptography

/// API tokens: their names, roles and digests.
package struct APITokenStore: Authenticator {
    private let ledger: Ledger

    /// The tokens in the ledger\'s database.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The same, with the chain of a writer that has no name of its own.
    package init(_ database: any SQLDatabase) { self.init(Ledger(database)) }

    /// What is known of a token.
    package struct Record: Sendable, Hashable {
        /// The public identifier.
        package let id: String
        /// Whose it is; for a relying party, its audience.
        package let name: String
        /// What it is for.
        package let role: Role
        /// When it was given out, in seconds since 1970.
        package let createdAt: Int64
        /// The identifier of the token that created it.
        package let createdBy: String
    }

    /// Gives out a token.
    ///
    /// - Returns: The record, and the token's text, which nobody can learn again.
    /// - Throws: ``StorageError/Code/conflict`` when the name is taken.
    package func create(
        name: String, role: Role, by creator: String, now: Int64
    ) async throws -> (record: Record, token: String) {
        let token = APIToken()
        try await insert(token, name: name, role: role, by: creator, now: now)
        return (Record(id: token.id, name: name, role: role, createdAt: now, createdBy: creator), token.text)
    }

    /// The holder of a token. Digests are compared in constant time, and an unknown identifier costs as much as a known one.
    package func principal(holding text: String) async throws -> Principal? {
        guard let token = APIToken(text) else { return nil }
        let row = try await ledger.read { connection in
            try connection.row("SELECT name, role, digest FROM api_tokens WHERE id = \(token.id)")
        }
        let expected = try row?.bytes("digest") ?? [UInt8](repeating: 0, count: 32)
        guard constantTimeEqual(expected, token.digest), let row, let role = Role(rawValue: try row.text("role")) else {
            return nil
        }
        return Principal(id: token.id, name: try row.text("name"), role: role)
    }

    /// All tokens' records, oldest first.
    package func list() async throws -> [Record] {
        let rows = try await ledger.read { connection in
            try connection.rows(
                "SELECT id, name, role, created_at, created_by FROM api_tokens ORDER BY created_at, id")
        }
        return try rows.compactMap { row in
            guard let role = Role(rawValue: try row.text("role")) else { return nil }
            return Record(
                id: try row.text("id"), name: try row.text("name"), role: role,
                createdAt: try row.integer("created_at"), createdBy: try row.text("created_by"))
        }
    }

    /// What became of a request to revoke a token.
    package enum Revocation: Sendable { case revoked, unknown, lastAdministrator }

    /// Revokes a token. The last administrator's stays, or nobody could give out another.
    ///
    /// - Parameter revoker: The identifier of the token with which it is done.
    package func revoke(_ id: String, by revoker: String, now: Int64) async throws -> Revocation {
        let admin = Role.admin.rawValue
        return try await ledger.change(at: now) { connection in
            guard let row = try connection.row("SELECT name, role FROM api_tokens WHERE id = \(id)") else {
                return .nothing(.unknown)
            }
            func action(isDone: Bool) throws(StorageError) -> LedgerEvent {
                .operation(
                    OperatorAction(
                        .tokenRevoked, id, by: revoker, isDone: isDone,
                        details: ["name": try row.text("name"), "role": try row.text("role")]))
            }
            if try row.text("role") == admin,
                try connection.rows("SELECT id FROM api_tokens WHERE role = \(admin) LIMIT 2").count < 2
            {
                return .recorded(.lastAdministrator, try action(isDone: false))
            }
            try connection.execute("DELETE FROM api_tokens WHERE id = \(id)")
            return .recorded(.revoked, try action(isDone: true))
        }
    }

    /// Makes sure that there is an administrator: on the first start, the one whose token is written to a file.
    ///
    /// The file is written before the record, so that a crash between the two leaves a token that the next start takes up.
    ///
    /// - Returns: Whether an administrator was created.
    /// - Throws: ``ServiceStartError`` when the file can be read by others, now or at any later start.
    @discardableResult
    package func bootstrap(tokenFile path: String, now: Int64) async throws -> Bool {
        let written = try PrivateFile.read(path, maximumByteCount: 256)
        let admin = Role.admin.rawValue
        let hasAdministrator = try await ledger.read { connection in
            try connection.row("SELECT id FROM api_tokens WHERE role = \(admin) LIMIT 1") != nil
        }
        if hasAdministrator { return false }
        let token: APIToken
        if let written {
            let text = String(decoding: written.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            guard let known = APIToken(text) else {
                throw ServiceStartError.unreadable(path, "it does not hold an API token. Remove it for a new one.")
            }
            token = known
        } else {
            token = APIToken()
            try PrivateFile.create(path, Array((token.text + "\n").utf8))
        }
        try await insert(token, name: "bootstrap", role: .admin, by: "bootstrap", now: now)
        return true
    }

    private func insert(
        _ token: APIToken, name: String, role: Role, by creator: String, now: Int64
    ) async throws {
        try await ledger.change(at: now) { connection in
            try connection.execute(
                """
                INSERT INTO api_tokens (id, name, role, digest, created_at, created_by)
                VALUES (\(token.id), \(name), \(role.rawValue), \(token.digest), \(now), \(creator))
                """)
            return .recorded(
                (),
                .operation(
                    OperatorAction(
                        .tokenCreated, token.id, by: creator, details: ["name": name, "role": role.rawValue])))
        }
    }
}
