import CarnetService
import CarnetStorage
import Cryptography

/// A row of any table that holds a wrapped key, and what its key is bound to.
struct WrappedRow: Sendable {
    /// The table whose row it is.
    enum Table: Sendable { case keys, signingKeys, webhookSecrets }

    let table: Table
    let id: String
    let context: String
    let wrapped: WrappedKey

    /// Whether there is any.
    @Sendable static func exist(in connection: any SQLConnection) throws -> Bool {
        try connection.row("SELECT 1 FROM keys LIMIT 1") != nil
            || connection.row("SELECT 1 FROM signing_keys WHERE wrapped IS NOT NULL LIMIT 1") != nil
            || connection.row("SELECT 1 FROM webhook_secrets LIMIT 1") != nil
    }

    /// All of them.
    static func all(in connection: any SQLConnection) throws -> [WrappedRow] {
        let keys = try connection.rows("SELECT id, purpose, nonce, wrapped FROM keys ORDER BY id").map { row in
            let id = try row.text("id")
            return WrappedRow(
                table: .keys, id: id, context: try row.text("purpose") + "/" + id,
                wrapped: WrappedKey(nonce: try row.bytes("nonce"), bytes: try row.bytes("wrapped")))
        }
        let signingKeys = try SigningKeyRow.all(in: connection).compactMap { row in
            row.wrapped.map {
                WrappedRow(
                    table: .signingKeys, id: row.record.kid, context: SigningKeyRow.context(row.record.kid), wrapped: $0
                )
            }
        }
        let secrets = try connection.rows("SELECT id, webhook, nonce, wrapped FROM webhook_secrets ORDER BY id")
            .map { row in
                let id = try row.text("id")
                return WrappedRow(
                    table: .webhookSecrets, id: id, context: WebhookStore.context(id, of: try row.text("webhook")),
                    wrapped: WrappedKey(nonce: try row.bytes("nonce"), bytes: try row.bytes("wrapped")))
            }
        return keys + signingKeys + secrets
    }

    /// Writes another wrap of the same key.
    func replace(by wrapped: WrappedKey, in connection: any SQLConnection) throws(StorageError) {
        switch table {
        case .keys:
            try connection.execute(
                "UPDATE keys SET nonce = \(wrapped.nonce), wrapped = \(wrapped.bytes) WHERE id = \(id)")
        case .signingKeys:
            try connection.execute(
                "UPDATE signing_keys SET nonce = \(wrapped.nonce), wrapped = \(wrapped.bytes) WHERE kid = \(id)")
        case .webhookSecrets:
            try connection.execute(
                "UPDATE webhook_secrets SET nonce = \(wrapped.nonce), wrapped = \(wrapped.bytes) WHERE id = \(id)")
        }
    }
}

extension KeyEncryptionKey {
    /// Makes sure that this key is the one that wraps the keys of a database, and notes it where nothing is noted yet.
    ///
    /// - Throws: ``ServiceStartError/unreadable(_:_:)`` when it is another's.
    func takeCharge(of database: any SQLDatabase) async throws {
        try await database.write { connection in
            if try connection.row("SELECT 1 FROM key_encryption WHERE id = 0") != nil {
                return try requireInForce(in: connection)
            }
            for row in try WrappedRow.all(in: connection) {
                do {
                    _ = try unwrap(row.wrapped, context: row.context)
                } catch {
                    throw ServiceStartError.unreadable(
                        "the key \(row.id) in the database",
                        "the key-encryption key that was given did not wrap it. Give the one that did")
                }
            }
            try connection.execute("INSERT INTO key_encryption (id, key_id) VALUES (0, \(identifier))")
        }
    }

    /// Puts every key of the ledger's database under another key-encryption key: all of them in one transaction, or none.
    ///
    /// - Returns: How many keys there were.
    /// - Throws: ``ServiceStartError/unreadable(_:_:)`` when this is not the key that wraps them, or one of them was altered.
    package func rewrap(_ ledger: Ledger, under other: KeyEncryptionKey, at now: Int64) async throws -> Int {
        try await ledger.change(at: now) { connection in
            try requireInForce(in: connection)
            let rows = try WrappedRow.all(in: connection)
            for row in rows {
                let key: [UInt8]
                do {
                    key = try unwrap(row.wrapped, context: row.context)
                } catch {
                    throw ServiceStartError.unreadable(
                        "the key \(row.id) in the database",
                        "it does not open: it was altered, or another key-encryption key wrapped it. Nothing was changed"
                    )
                }
                try row.replace(by: try other.wrap(key, context: row.context), in: connection)
            }
            try connection.execute(
                """
                INSERT INTO key_encryption (id, key_id) VALUES (0, \(other.identifier))
                ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id
                """)
            let step = KeyStep(
                keyID: other.identifier, purpose: "key-encryption", state: "wrapping", by: nil,
                reason: "rewrapped from \(identifier)")
            return .recorded(rows.count, .key(step))
        }
    }
}
