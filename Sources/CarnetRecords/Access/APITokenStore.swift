package import CarnetService
package import CarnetStorage
import Cryptography

/// API tokens: their names, roles, digests and ends.
package struct APITokenStore: Authenticator {
    package let ledger: Ledger
    private let clock: WallClock
    private let uses = APITokenUses()

    /// The tokens in the ledger's database.
    ///
    /// - Parameter clock: By which tokens expire.
    package init(_ ledger: Ledger, clock: WallClock = .system) {
        self.ledger = ledger
        self.clock = clock
    }

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
        /// From when on it is refused, in seconds since 1970; `nil` for one that an earlier release gave out without an end.
        package let expiresAt: Int64?
        /// Whether it was seen after its end: it stays refused then, whatever the clock says.
        package var hasExpired = false
        /// When it was used last, in seconds since 1970 and at most ``APITokenUses/interval`` too early.
        package var lastUsedAt: Int64?

        /// Whether it is refused.
        package func isExpired(at now: Int64) -> Bool { hasExpired || expiresAt.map { $0 <= now } ?? false }
    }

    /// Gives out a token.
    ///
    /// - Parameter expiresAt: From when on it is refused, in seconds since 1970.
    /// - Returns: The record, and the token's text, which nobody can learn again.
    /// - Throws: ``StorageError/Code/conflict`` when the name is taken.
    package func create(
        name: String, role: Role, by creator: String, expiresAt: Int64? = nil, now: Int64
    ) async throws -> (record: Record, token: String) {
        let token = APIToken()
        let record = Record(
            id: token.id, name: name, role: role, createdAt: now, createdBy: creator, expiresAt: expiresAt)
        try await ledger.change(at: now) { connection in
            .recorded((), try Self.insert(record, token, connection))
        }
        return (record, token.text)
    }

    /// Writes a record; the event is to be written with it.
    package static func insert(
        _ record: Record, _ token: APIToken, details: [String: String] = [:], _ connection: any SQLConnection
    ) throws(StorageError) -> LedgerEvent {
        try connection.execute(
            """
            INSERT INTO api_tokens (id, name, role, digest, created_at, created_by, expires_at)
            VALUES (\(record.id), \(record.name), \(record.role.rawValue), \(token.digest), \(record.createdAt),
                \(record.createdBy), \(record.expiresAt))
            """)
        var details = details
        details["name"] = record.name
        details["role"] = record.role.rawValue
        details["expires"] = record.expiresAt.map { String($0) }
        return .operation(OperatorAction(.tokenCreated, record.id, by: record.createdBy, details: details))
    }

    /// The holder of a token. Digests are compared in constant time, and an unknown identifier costs as much as a known one.
    ///
    /// - Throws: ``Problem`` for a token that has expired: whoever holds it may know. Nothing brings it back.
    package func principal(holding text: String) async throws -> Principal? {
        guard let token = APIToken(text) else { return nil }
        let row = try await ledger.read { connection in
            try connection.row(
                """
                SELECT name, role, digest, expires_at, expired_at, last_used_at FROM api_tokens WHERE id = \(token.id)
                """)
        }
        let expected = try row?.bytes("digest") ?? [UInt8](repeating: 0, count: 32)
        guard constantTimeEqual(expected, token.digest), let row, let role = Role(rawValue: try row.text("role")) else {
            return nil
        }
        let now = clock.now, end = try row.optionalInteger("expires_at")
        if let end, try row.optionalInteger("expired_at") != nil || end <= now {
            if try row.optionalInteger("expired_at") == nil { await expire(token.id, at: now) }
            throw Problem.credentialExpired(at: end)
        }
        await uses.note(token.id, last: try row.optionalInteger("last_used_at"), at: now, ledger)
        return Principal(id: token.id, name: try row.text("name"), role: role)
    }

    /// Writes down that a token's end was seen. When that cannot be done now, the next caller does it: the token is refused all the same.
    private func expire(_ id: String, at now: Int64) async {
        try? await ledger.change(at: now) { connection in
            let count = try connection.execute(
                "UPDATE api_tokens SET expired_at = \(now) WHERE id = \(id) AND expired_at IS NULL")
            return count == 0
                ? .nothing(()) : .recorded((), .operation(OperatorAction(.tokenExpired, id, by: "schedule")))
        }
    }

}
