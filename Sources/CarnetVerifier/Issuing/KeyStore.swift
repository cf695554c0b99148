import CarnetService
package import CarnetStorage
import Cryptography
import StrictEncoding

/// The verifier's own keys, made on the first start and kept wrapped in the database.
package struct KeyStore: Sendable {
    private let database: any SQLDatabase
    private let wrapping: KeyEncryptionKey

    /// The keys in `database`, wrapped by the key in a file.
    ///
    /// The file is made when it is missing and the database holds no keys yet. When it holds some, a new file could not
    /// unwrap them, so a missing one is an error.
    ///
    /// - Throws: ``ServiceStartError`` when the file is missing, exposed, or not the one that wrapped the keys.
    package static func open(_ database: any SQLDatabase, keyFile path: String) async throws -> KeyStore {
        let holdsKeys = try await database.read { try $0.row("SELECT id FROM keys LIMIT 1") != nil }
        if let key = try KeyEncryptionKey.read(path) { return KeyStore(database: database, wrapping: key) }
        guard !holdsKeys else {
            throw ServiceStartError.unreadable(
                path, "it is missing, and the keys in the database cannot be unwrapped without it. Restore it.")
        }
        return KeyStore(database: database, wrapping: try KeyEncryptionKey.create(path))
    }

    /// The key for a purpose; `make` makes it when there is none. When several programs ask at once, all get the same.
    package func key(
        _ purpose: Purpose, now: Int64, make: @escaping @Sendable () throws -> [UInt8]
    ) async throws -> [UInt8] {
        let wrapping = wrapping
        return try await database.write { connection in
            let purposeName = purpose.rawValue
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
                        "the \(purposeName) key in the database", "another key-encryption key wrapped it")
                }
            }
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

    /// What a key is for.
    package enum Purpose: String, Sendable {
        /// Signs attestation results.
        case signing
        /// Seals session identifiers.
        case session
    }
}
