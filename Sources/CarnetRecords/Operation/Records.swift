import CarnetLedger
import CarnetService
package import CarnetStorage
import Logging

/// What a service keeps, opened: its database, keys, ledger and API tokens.
package struct Records: Sendable {
    /// The database, whose failures are counted.
    package let database: any SQLDatabase
    package let keys: KeyStore
    package let ledger: Ledger
    package let signingKeyStore: SigningKeyStore
    package let signingKeys: SigningKeys
    package let rotation: SigningKeyRotation
    package let checkpoints: LedgerCheckpoints
    package let tokens: APITokenStore

    /// Opens everything, and makes on the first start what is made then: the database, the key-encryption key, the first signing keys.
    ///
    /// - Parameters:
    ///   - program: What makes the first administrator, in a message: `carnet-verifier bootstrap`.
    ///   - failed: Told of transactions that fail.
    ///   - admitting: Checks the database before anything is written to it but its schema.
    /// - Throws: An error that tells the operator what to do.
    package static func open(
        _ settings: RecordsSettings, _ form: RecordsForm, migrations: [Migration], bootstrap program: String,
        failed: @escaping @Sendable (StorageError.Code) -> Void,
        admitting: @escaping @Sendable (any SQLConnection) throws -> Void = { _ in }
    ) async throws -> Records {
        let directory = try DataDirectory(settings.dataDirectory), now = settings.clock.now
        let address = settings.database ?? .sqlite(path: directory.database)
        let database = MeteredDatabase(
            try await address.open(
                timeout: settings.databaseTimeout, maximumConnectionCount: settings.databaseConnections),
            failed: failed)
        settings.logger.info("database opened", metadata: ["address": .string(address.description)])
        try await database.migrate(migrations, now: now)
        try await database.read(admitting)
        let keys = try await KeyStore.open(
            database, settings.keyEncryptionKey ?? .file(directory.keyEncryptionKey), form)
        let ledger = try Ledger.open(
            database, chain: settings.ledgerChain, nameFile: directory.ledgerChain, form: form)
        let store = keys.signingKeys(settings.signingKeys, ledger)
        try await store.begin(at: now)
        let signingKeys = SigningKeys(store, noticeInterval: settings.signingKeyNotice)
        // A key that cannot be used stops the start.
        _ = try await signingKeys.signer()
        let tokens = APITokenStore(ledger, clock: settings.clock)
        if try await !tokens.hasAdministrator(at: now) {
            settings.logger.warning("there is no administrator: \(program) makes one")
        }
        let checkpoints = LedgerCheckpoints(
            ledger: ledger, issuer: settings.name, clock: settings.clock,
            sign: { try await signingKeys.signer().sign($0) }, keys: { try await signingKeys.own() },
            memory: try CheckpointMemory(file: directory.ledgerCheckpoint, settings.logger))
        if settings.acceptsLedger {
            try await checkpoints.accept()
            settings.logger.warning("the ledger was accepted as the database has it")
        }
        return Records(
            database: database, keys: keys, ledger: ledger, signingKeyStore: store, signingKeys: signingKeys,
            rotation: SigningKeyRotation(
                keys: signingKeys, interval: settings.signingKeyInterval, clock: settings.clock,
                logger: settings.logger),
            checkpoints: checkpoints, tokens: tokens)
    }
}
