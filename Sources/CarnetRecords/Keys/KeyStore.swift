import CarnetService
package import CarnetStorage
import Cryptography
import StrictEncoding

/// A service's own keys, made on the first start and kept wrapped in the database.
package struct KeyStore: Sendable {
    private let database: any SQLDatabase
    /// The key that wraps them.
    package let wrapping: KeyEncryptionKey

    /// The keys in `database`, wrapped by the key-encryption key from `source`.
    ///
    /// A file is made when it is missing and the database holds no keys yet. When it holds some, a new key could not unwrap them, so a
    /// missing one is an error.
    ///
    /// - Throws: ``ServiceStartError`` when the key is missing, exposed, or not the one that wrapped the keys.
    package static func open(
        _ database: any SQLDatabase, _ source: KeyEncryptionKeySource, _ form: RecordsForm
    ) async throws -> KeyStore {
        if let key = try source.read() {
            try await key.takeCharge(of: database, form)
            return KeyStore(database: database, wrapping: key)
        }
        guard case .file(let path) = source, try await !database.read(form.wrappedTables.holdKeys) else {
            throw ServiceStartError.unreadable(
                source.name,
                "it is missing, and the keys in the database cannot be unwrapped without it. Restore it, or say where it is: "
                    + "--key-encryption-key, --key-encryption-key-environment or --key-encryption-key-command.")
        }
        let key = try KeyEncryptionKey.create(path)
        try await key.takeCharge(of: database, form)
        return KeyStore(database: database, wrapping: key)
    }

    /// The signing keys.
    package func signingKeys(_ schedule: SigningKeySchedule, _ ledger: Ledger) -> SigningKeyStore {
        SigningKeyStore(ledger, wrapping, schedule)
    }

    /// The key for a purpose; `make` makes it when there is none. When several programs ask at once, all get the same.
    package func key(
        _ purpose: Purpose, now: Int64, make: @escaping @Sendable () throws -> [UInt8]
    ) async throws -> [UInt8] {
        let wrapping = wrapping
        return try await database.write { connection in
            let purposeName = purpose.name
            let stored = try connection.row(
                """
                SELECT id, nonce, wrapped FROM keys WHERE purpose = \(purposeName)
                ORDER BY created_at DESC, id DESC LIMIT 1
                """)
            if let stored {
                let wrapped = WrappedKey(nonce: try stored.bytes("nonce"), bytes: try stored.bytes("wrapped"))
                do {
                    return try wrapping.unwrap(wrapped, context: purposeName + "/" + (try stored.text("id")))
                } catch is CryptographyError {
                    throw ServiceStartError.unreadable(
                        "the \(purposeName) key in the database",
                        "it does not open: it was altered, or another key-encryption key wrapped it. Restore the database from a backup"
                    )
                }
            }
            try wrapping.requireInForce(in: connection)
            let id = Hexadecimal.encode(SecureRandom.bytes(8))
            let key = try make()
            let wrapped = try wrapping.wrap(key, context: purposeName + "/" + id)
            try connection.execute(
                """
                INSERT INTO keys (id, purpose, nonce, wrapped, created_at)
                VALUES (\(id), \(purposeName), \(wrapped.nonce), \(wrapped.bytes), \(now))
                """)
            return key
        }
    }

    /// What a key is for; each service names its own.
    package struct Purpose: Sendable, Hashable {
        let name: String

        /// A purpose.
        package init(_ name: String) { self.name = name }
    }
}
