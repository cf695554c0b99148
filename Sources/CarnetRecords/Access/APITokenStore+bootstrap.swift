import CarnetService
import CarnetStorage

extension APITokenStore {
    /// What became of a request for the first administrator.
    package enum Bootstrap: Sendable {
        /// The administrator's record, and the token's text, which nobody can learn again.
        case made(Record, token: String)
        /// There is an administrator, and nothing was changed.
        case exists
    }

    /// Makes the first administrator. The look whether there is one and the new record are one transaction, so of many who ask at
    /// once one gets a token.
    ///
    /// - Parameters:
    ///   - name: Whose token it is; `nil` for a name with the token's identifier in it.
    ///   - expiresAt: From when on it is refused, in seconds since 1970.
    ///   - recovers: Makes an administrator also when there is one whose token was lost. The ledger says that it was so.
    /// - Throws: ``StorageError/Code/conflict`` when the name is taken.
    package func bootstrap(
        name: String? = nil, expiresAt: Int64? = nil, recovers: Bool = false, now: Int64
    ) async throws -> Bootstrap {
        let token = APIToken()
        let record = Record(
            id: token.id, name: name ?? (recovers ? "recovery-" : "bootstrap-") + token.id, role: .admin,
            createdAt: now, createdBy: "bootstrap", expiresAt: expiresAt)
        return try await ledger.change(at: now) { connection in
            let isFirst = try Self.administrators(at: now, connection).isEmpty
            guard isFirst || recovers else { return .nothing(.exists) }
            let event = try Self.insert(
                record, token, details: isFirst ? [:] : ["recovery": "true"], connection)
            return .recorded(.made(record, token: token.text), event)
        }
    }

    /// Whether anybody can administer this verifier with a token.
    package func hasAdministrator(at now: Int64) async throws -> Bool {
        try await ledger.read { try !Self.administrators(at: now, $0).isEmpty }
    }
}
