package import CarnetRecords
package import CarnetStorage
import Cryptography

/// Enrolments between their two calls.
package struct EnrolmentStore: Sendable {
    /// How long a machine has for its second call, in seconds.
    package static let lifetime: Int64 = 300
    /// The most enrolments that may be open at once.
    package static let maximumOpenCount = 4096
    /// The most that one endorsement key may have open; one more closes its oldest. A first call proves nothing, so whoever repeats
    /// somebody's can disturb that machine, and no other.
    package static let maximumOpenCountPerKey = 4

    private let ledger: Ledger

    /// The enrolments in the ledger\'s database.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The same, with the chain of a writer that has no name of its own.
    package init(_ database: any SQLDatabase) { self.init(Ledger(database)) }

    /// What the verifier remembers of the first call.
    package struct Record: Sendable, Hashable {
        /// The enrolment's identifier, which becomes the machine's.
        package let id: String
        /// The keys that are to be proven.
        package let identity: NodeIdentity
        /// What the first quote has to cover, 32 bytes.
        package let nonce: [UInt8]
        /// The PCRs that it was asked for: a TPML_PCR_SELECTION.
        package let selection: [UInt8]
        /// After this it is void, in seconds since 1970.
        package let expiresAt: Int64

        /// An enrolment.
        package init(id: String, identity: NodeIdentity, nonce: [UInt8], selection: [UInt8], expiresAt: Int64) {
            self.id = id
            self.identity = identity
            self.nonce = nonce
            self.selection = selection
            self.expiresAt = expiresAt
        }
    }

    /// What became of a first call.
    package enum Opening: Sendable, Hashable { case opened, conflict(IdentityConflict), tooMany }

    /// Remembers an enrolment and the digest of its secret. Records that ran out are removed.
    package func open(_ record: Record, secret: [UInt8], now: Int64) async throws -> Opening {
        let digest = Self.digest(of: secret)
        return try await ledger.change(at: now) { connection in
            try connection.execute("DELETE FROM enrolments WHERE expires_at < \(now)")
            if let conflict = try IdentityConflict.look(for: record.identity, in: connection).conflict {
                return try .refusal(
                    .conflict(conflict), record.identity, conflict.reason, now: now, in: connection)
            }
            try Self.makeRoom(for: record.identity.endorsementKeyDigest, in: connection)
            let limit = Int64(Self.maximumOpenCount)
            guard try connection.rows("SELECT id FROM enrolments LIMIT \(limit)").count < Self.maximumOpenCount else {
                return .unremarkable(.tooMany)
            }
            let identity = record.identity
            try connection.execute(
                """
                INSERT INTO enrolments (id, name, endorsement, ek_digest, ek_public, ek_certificate, ak_name, ak_public,
                    secret_digest, nonce, selection, expires_at)
                VALUES (\(record.id), \(identity.name), \(identity.endorsement.rawValue),
                    \(identity.endorsementKeyDigest), \(identity.endorsementKey), \(identity.endorsementCertificate),
                    \(identity.attestationKeyName), \(identity.attestationKey), \(digest), \(record.nonce),
                    \(record.selection), \(record.expiresAt))
                """)
            let step = EnrolmentStep.requested(
                id: record.id, name: identity.name, endorsementKey: identity.endorsementKeyDigest,
                attestationKey: identity.attestationKeyName)
            let isTold = try Ledger.isQuiet(step.kind, about: step.about, at: now, in: connection)
            return isTold ? .recorded(.opened, .enrolment(step)) : .unremarkable(.opened)
        }
    }

    private static func makeRoom(for key: [UInt8], in connection: any SQLConnection) throws(StorageError) {
        let open = try connection.rows(
            "SELECT id FROM enrolments WHERE ek_digest = \(key) ORDER BY expires_at DESC, id")
        for row in open.dropFirst(maximumOpenCountPerKey - 1) {
            try connection.execute("DELETE FROM enrolments WHERE id = \(try row.text("id"))")
        }
    }

    /// Whether an enrolment waits for its activation.
    func isOpen(_ id: String, now: Int64) async throws -> Bool {
        try await ledger.read { connection in
            try connection.row("SELECT 1 FROM enrolments WHERE id = \(id) AND expires_at >= \(now)") != nil
        }
    }

    /// Takes an enrolment out: whatever the second call brings, there is no third.
    ///
    /// - Returns: The record, if it exists, has not run out, and `secret` is the one that its credential held. Secrets are
    ///   compared in constant time.
    package func take(_ id: String, secret: [UInt8], now: Int64) async throws -> Record? {
        let digest = Self.digest(of: secret)
        return try await ledger.change(at: now) { connection in
            guard let row = try connection.row("SELECT * FROM enrolments WHERE id = \(id)") else {
                return .nothing(Record?.none)
            }
            try connection.execute("DELETE FROM enrolments WHERE id = \(id)")
            let identity = try NodeIdentity(row: row)
            guard constantTimeEqual(try row.bytes("secret_digest"), digest), try row.integer("expires_at") >= now else {
                return try .refusal(
                    nil, identity, "The secret is not the one in the credential, or came too late.", now: now,
                    in: connection)
            }
            // What came of it is told by whoever took it.
            return .unremarkable(
                Record(
                    id: id, identity: identity, nonce: try row.bytes("nonce"), selection: try row.bytes("selection"),
                    expiresAt: try row.integer("expires_at")))
        }
    }

    /// Writes down that a machine which opened its secret did not prove its keys.
    func refuse(_ record: Record, _ reason: String, now: Int64) async throws {
        try await ledger.change(at: now) { connection in
            try .refusal((), record.identity, reason, now: now, in: connection)
        }
    }

    private static func digest(of secret: [UInt8]) -> [UInt8] {
        HashAlgorithm.sha256.hash(Array("carnet/enrolment-secret/v1\u{0}".utf8), secret)
    }
}
