import CarnetStorage
package import CarnetResult
import Cryptography

/// The signing keys in the database. Each change is one transaction: the keys, the event, and the ledger's row, or nothing.
package struct SigningKeyStore: Sendable {
    private let ledger: Ledger
    private let wrapping: KeyEncryptionKey
    private let schedule: SigningKeySchedule

    /// The keys in the ledger's database, wrapped by `wrapping`.
    package init(_ ledger: Ledger, _ wrapping: KeyEncryptionKey, _ schedule: SigningKeySchedule) {
        self.ledger = ledger
        self.wrapping = wrapping
        self.schedule = schedule
    }

    /// Who changed the keys, and why.
    package struct Decision: Sendable, Hashable {
        /// The identifier of an API token, or `schedule`.
        package let by: String
        package let reason: String

        /// What the schedule says.
        package static let schedule = Decision(by: "schedule", reason: "It was due")

        /// A decision.
        package init(by: String, reason: String) {
            self.by = by
            self.reason = reason
        }
    }

    /// Makes the first keys when there are none. Of several replicas that start at once, one does.
    ///
    /// A verifier that was made before keys had states has one key for ever: it becomes the current one.
    package func begin(at now: Int64) async throws {
        _ = try await change(at: now, .schedule) { ring, connection, make in
            guard ring.keys.isEmpty else { return [] }
            let old = try connection.row(
                """
                SELECT id, nonce, wrapped, created_at FROM keys WHERE purpose = 'signing'
                ORDER BY created_at DESC, id DESC LIMIT 1
                """)
            guard let old else { return try ring.begin(at: now) { try make(nil) } }
            let wrapped = WrappedKey(nonce: try old.bytes("nonce"), bytes: try old.bytes("wrapped"))
            let id = try old.text("id"), since = try old.integer("created_at")
            let bytes: [UInt8]
            do {
                bytes = try wrapping.unwrap(wrapped, context: SigningKeyRow.context(id))
            } catch {
                throw SigningKeyFault(kid: id, reason: "it does not open")
            }
            let kid = try make(PrivateKey(pkcs8: bytes))
            let events = try ring.begin(at: now, adopting: (kid, max(since, 0))) { try make(nil) }
            try connection.execute("DELETE FROM keys WHERE purpose = 'signing'")
            return events
        }
    }

    /// Does what the schedule says is due.
    package func look(at now: Int64) async throws -> [SigningKeyRing.Event] {
        try await change(at: now, .schedule) { ring, _, make in try ring.look(at: now) { try make(nil) } }
    }

    /// Lets the next key sign now.
    ///
    /// - Throws: ``SigningKeyRing/Refusal`` when it may not yet.
    package func rotate(at now: Int64, _ decision: Decision) async throws -> [SigningKeyRing.Event] {
        try await change(at: now, decision) { ring, _, make in try ring.rotate(at: now) { try make(nil) } }
    }

    /// Takes a key out of the set at once.
    package func revoke(_ kid: String, at now: Int64, _ decision: Decision) async throws -> [SigningKeyRing.Event] {
        try await change(at: now, decision) { ring, _, make in try ring.revoke(kid, at: now) { try make(nil) } }
    }

    /// Every key that there ever was, the oldest first.
    package func records() async throws -> [SigningKeyRecord] {
        try await ledger.read { connection in try SigningKeyRow.all(in: connection).map(\.record) }
    }

    /// What happened to keys last, at most `limit` events, the newest first.
    package func events(_ limit: Int64) async throws -> [SigningKeyEvent] {
        try await ledger.read { connection in try SigningKeyEvent.newest(limit, in: connection) }
    }

    /// The published keys with their private parts; those in `known` are not opened again.
    ///
    /// All of them are opened, the retiring ones too: what cannot be opened was not written by a verifier, and is not published.
    package func keys(reusing known: [String: SigningKey]) async throws -> (current: String, keys: [String: SigningKey])
    {
        let (rows, lookedAt) = try await ledger.read { connection in
            (try SigningKeyRow.all(in: connection), try Self.lookedAt(in: connection))
        }
        let ring = SigningKeyRing(rows.map(\.record), lookedAt: lookedAt, schedule)
        guard let current = ring.current, ring.next != nil else { throw SigningKeyRing.Refusal.unsound }
        var keys: [String: SigningKey] = [:]
        for row in rows where row.record.state.isPublished {
            keys[row.record.kid] = try known[row.record.kid] ?? row.signingKey(wrapping)
        }
        return (current.kid, keys)
    }

    /// Makes a key, or takes the one that is given, and says its thumbprint.
    private typealias Maker = (PrivateKey?) throws -> String

    /// Changes the keys in one transaction.
    private func change(
        at now: Int64, _ decision: Decision,
        _ body: @escaping @Sendable (inout SigningKeyRing, any SQLConnection, Maker) throws -> [SigningKeyRing.Event]
    ) async throws -> [SigningKeyRing.Event] {
        try await ledger.change(at: now) { [wrapping, schedule] connection in
            let rows = try SigningKeyRow.all(in: connection)
            let lookedAt = try Self.lookedAt(in: connection)
            var ring = SigningKeyRing(rows.map(\.record), lookedAt: lookedAt, schedule)
            let before = ring
            var made: [String: SigningKey] = [:]
            let events = try body(&ring, connection) { given in
                let key = try SigningKey(given ?? .generate(.p256))
                made[key.keyID] = key
                return key.keyID
            }
            guard ring != before else { return .nothing(events) }
            try Self.write(ring, over: before, made, wrapping, in: connection)
            guard !events.isEmpty else { return .unremarkable(events) }
            let steps = try events.map { event in
                try SigningKeyEvent.record(event, decision, at: now, in: connection)
                return LedgerEvent.key(KeyStep(event, decision))
            }
            return .recorded(events, all: steps)
        }
    }

    private static func lookedAt(in connection: any SQLConnection) throws(StorageError) -> Int64? {
        let row = try connection.row("SELECT looked_at FROM signing_key_looks WHERE id = 0")
        let time = try row.map { row throws(StorageError) in try row.integer("looked_at") }
        return time.flatMap { SigningKeyRecord.times.contains($0) ? $0 : nil }
    }

    /// Writes what differs, in the order in which no state is taken twice: there is one current and one next key, and the database
    /// itself holds to it.
    private static func write(
        _ ring: SigningKeyRing, over before: SigningKeyRing, _ made: [String: SigningKey],
        _ wrapping: KeyEncryptionKey, in connection: any SQLConnection
    ) throws {
        let old = Set(before.keys), known = Set(before.keys.map(\.kid))
        for state in SigningKeyRecord.State.allCases.reversed() {
            for key in ring.keys where key.state == state && !old.contains(key) {
                if known.contains(key.kid) {
                    try update(key, in: connection)
                } else if let signingKey = made[key.kid] {
                    try wrapping.requireInForce(in: connection)
                    try insert(key, signingKey, wrapping, in: connection)
                }
            }
        }
        if let time = ring.lookedAt, time != before.lookedAt {
            try connection.execute(
                """
                INSERT INTO signing_key_looks (id, looked_at) VALUES (0, \(time))
                ON CONFLICT (id) DO UPDATE SET looked_at = excluded.looked_at
                """)
        }
    }

    private static func update(_ key: SigningKeyRecord, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            """
            UPDATE signing_keys SET state = \(key.state.rawValue), published_at = \(key.publishedAt),
                activated_at = \(key.activatedAt), retiring_at = \(key.retiringAt), ended_at = \(key.endedAt)
            WHERE kid = \(key.kid)
            """)
        guard !key.state.isPublished else { return }
        try connection.execute("UPDATE signing_keys SET nonce = NULL, wrapped = NULL WHERE kid = \(key.kid)")
    }

    private static func insert(
        _ record: SigningKeyRecord, _ key: SigningKey, _ wrapping: KeyEncryptionKey, in connection: any SQLConnection
    ) throws {
        let wrapped = try wrapping.wrap(key.key.pkcs8, context: SigningKeyRow.context(record.kid))
        let publicKey = try key.key.publicKey.subjectPublicKeyInfo
        try connection.execute(
            """
            INSERT INTO signing_keys (kid, state, public_key, nonce, wrapped, published_at, activated_at)
            VALUES (\(record.kid), \(record.state.rawValue), \(publicKey), \(wrapped.nonce), \(wrapped.bytes),
                \(record.publishedAt), \(record.activatedAt))
            """)
    }
}
