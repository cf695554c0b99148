package import CarnetRecords
import CarnetService
import CarnetStorage
import Cryptography
import StrictEncoding

/// The secrets, each under the key-encryption key. Of each name there is one version: who stores another erases the last.
package struct SecretStore: Sendable {
    private let ledger: Ledger
    private let wrapping: KeyEncryptionKey

    /// The secrets in the ledger's database.
    package init(_ ledger: Ledger, _ wrapping: KeyEncryptionKey) {
        self.ledger = ledger
        self.wrapping = wrapping
    }

    /// The longest secret, in bytes.
    package static let maximumByteCount = 65_536
    /// The most secrets.
    package static let maximumCount = 100_000

    /// What may be told of a secret.
    package struct Record: Sendable, Hashable {
        package let name: SecretName
        /// From 1, one more with each that takes the place of another.
        package let version: Int64
        package let byteCount: Int64
        /// When it was stored, in seconds since 1970.
        package let storedAt: Int64
        /// The identifier of the API token with which it was stored.
        package let storedBy: String
    }

    /// Stores a secret, in place of the one of its name.
    ///
    /// - Throws: ``CarnetService/Problem``, 409, when there are as many as may be.
    package func store(_ secret: [UInt8], as name: SecretName, by operatorID: String, now: Int64) async throws -> Record
    {
        let key = name.description, wrapping = wrapping
        return try await ledger.change(at: now) { connection in
            try wrapping.requireInForce(in: connection)
            let last = try connection.row("SELECT version FROM secrets WHERE name = \(key)")?.integer("version")
            if last == nil,
                try connection.row("SELECT COUNT(*) AS count FROM secrets")?.integer("count") ?? 0
                    >= Int64(Self.maximumCount)
            {
                throw Problem.full("secrets", Self.maximumCount)
            }
            let version = (last ?? 0) &+ 1
            let wrapped = try wrapping.wrap(secret, context: Self.context(key, version))
            let record = Record(
                name: name, version: version, byteCount: Int64(secret.count), storedAt: now, storedBy: operatorID)
            try connection.execute(
                """
                INSERT INTO secrets (name, version, nonce, wrapped, byte_count, stored_at, stored_by)
                VALUES (\(key), \(version), \(wrapped.nonce), \(wrapped.bytes), \(record.byteCount), \(now), \(operatorID))
                ON CONFLICT (name) DO UPDATE SET version = excluded.version, nonce = excluded.nonce,
                    wrapped = excluded.wrapped, byte_count = excluded.byte_count, stored_at = excluded.stored_at,
                    stored_by = excluded.stored_by
                """)
            return .recorded(
                record,
                .operation(OperatorAction(.secretStored, key, by: operatorID, details: ["version": String(version)])))
        }
    }

    /// What is told of a secret; `nil` when there is none of this name.
    package func record(_ name: SecretName) async throws -> Record? {
        let key = name.description
        return try await ledger.read { connection in
            try connection.row("SELECT * FROM secrets WHERE name = \(key)").map(Self.record)
        }
    }

    /// The secrets by name, the next page of them.
    package func list(_ page: PageRequest) async throws -> Page<Record> {
        let (after, count) = (page.after ?? "", page.rowCount)
        let rows = try await ledger.read { connection in
            try connection.rows(
                "SELECT * FROM secrets WHERE name > \(after) ORDER BY name LIMIT \(count)"
            ).map(Self.record)
        }
        return Page(rows, limit: page.limit) { $0.name.description }
    }

    /// A secret's bytes, with its version, in a transaction of somebody who writes down who gets them.
    static func open(
        _ name: SecretName, _ wrapping: KeyEncryptionKey, in connection: any SQLConnection
    ) throws -> (secret: [UInt8], version: Int64)? {
        let key = name.description
        guard let row = try connection.row("SELECT version, nonce, wrapped FROM secrets WHERE name = \(key)") else {
            return nil
        }
        let version = try row.integer("version")
        let wrapped = WrappedKey(nonce: try row.bytes("nonce"), bytes: try row.bytes("wrapped"))
        do {
            return (try wrapping.unwrap(wrapped, context: context(key, version)), version)
        } catch {
            throw Problem.unavailable(
                "The secret cannot be opened.", retryAfter: 60,
                cause: "the secret \(key) was altered in the database, or another key-encryption key wrapped it")
        }
    }

    /// A secret's bytes for an operator; the ledger tells who looked.
    package func reveal(_ name: SecretName, by operatorID: String, now: Int64) async throws -> [UInt8]? {
        let wrapping = wrapping
        return try await ledger.change(at: now) { connection in
            guard let found = try Self.open(name, wrapping, in: connection) else { return .nothing(nil) }
            return .recorded(
                found.secret,
                .operation(
                    OperatorAction(
                        .secretRead, name.description, by: operatorID, details: ["version": String(found.version)])))
        }
    }

    /// Erases a secret.
    ///
    /// - Returns: Whether there was one.
    package func remove(_ name: SecretName, by operatorID: String, now: Int64) async throws -> Bool {
        let key = name.description
        return try await ledger.change(at: now) { connection in
            let count = try connection.execute("DELETE FROM secrets WHERE name = \(key)")
            return count == 0
                ? .nothing(false) : .recorded(true, .operation(OperatorAction(.secretRemoved, key, by: operatorID)))
        }
    }

    /// What a wrapped secret is bound to, so that no row opens under another's name.
    static func context(_ name: String, _ version: Int64) -> String { "secret/\(name)/\(version)" }

    private static func record(_ row: SQLRow) throws -> Record {
        guard let name = SecretName(try row.text("name")) else {
            throw StorageError(.unexpectedValue, "a secret's name is none")
        }
        return Record(
            name: name, version: try row.integer("version"), byteCount: try row.integer("byte_count"),
            storedAt: try row.integer("stored_at"), storedBy: try row.text("stored_by"))
    }
}
