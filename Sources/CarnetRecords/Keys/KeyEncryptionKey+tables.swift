package import CarnetStorage
import CarnetService
import Cryptography

extension KeyEncryptionKey {
    /// Makes sure that this key is the one that wraps the keys of a database, and notes it where nothing is noted yet.
    ///
    /// - Throws: ``ServiceStartError/unreadable(_:_:)`` when it is another's.
    package func takeCharge(of database: any SQLDatabase, _ form: RecordsForm) async throws {
        try await database.write { connection in
            if try connection.row("SELECT 1 FROM key_encryption WHERE id = 0") != nil {
                return try requireInForce(in: connection, of: form.program)
            }
            for row in try form.wrappedTables.rows(in: connection) {
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
            try requireInForce(in: connection, of: ledger.form.program)
            let rows = try ledger.form.wrappedTables.rows(in: connection)
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
                try row.replace(try other.wrap(key, context: row.context), connection)
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
