import CarnetResult
import CarnetService
import CarnetStorage
import Cryptography
import Logging
import ServiceLifecycle

/// The passport office: opens its database and keys, and answers until it is asked to stop.
package struct Verifier: Service {
    private let service: HTTPService

    /// Opens everything that a verifier needs; nothing listens yet.
    ///
    /// On the first start it creates the database, the key-encryption key, the signing key and the first administrator's
    /// token.
    ///
    /// - Parameter onListening: Called once, with the port that it listens on.
    /// - Throws: An error that tells the operator what to do.
    package init(
        _ configuration: VerifierConfiguration, onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) async throws {
        try configuration.check()
        let clock = configuration.clock
        let directory = try DataDirectory(configuration.dataDirectory)
        let database = try SQLiteDatabase(
            path: directory.database, busyTimeout: configuration.databaseTimeout)
        try await database.migrate(Schema.migrations, now: clock.now)
        let tokens = APITokenStore(database)
        if try await tokens.bootstrap(tokenFile: directory.operatorToken, now: clock.now) {
            configuration.logger.notice(
                "first administrator created", metadata: ["file": .string(directory.operatorToken)])
        }
        let keys = try await KeyStore.open(
            database, keyFile: configuration.keyEncryptionKeyFile ?? directory.keyEncryptionKey)
        let signingKey = try await Self.signingKey(keys, now: clock.now)
        let routes =
            HealthRoutes.routes { try await database.write { _ = try $0.row("SELECT id FROM keys LIMIT 1") } }
            + DiscoveryRoutes(issuer: configuration.issuer, signingKey: signingKey).routes
            + AdminNodeRoutes(nodes: NodeStore(database), clock: clock).routes
            + AdminEndorsementKeyRoutes(register: EndorsementKeyRegister(database), clock: clock).routes
            + AdminTokenRoutes(tokens: tokens, clock: clock).routes
            + AdminAppraisalRoutes(ledger: Ledger(database)).routes
        service = try HTTPService(
            routes, authenticator: tokens, address: configuration.address, security: configuration.security,
            limits: configuration.limits, logger: configuration.logger, onListening: onListening)
    }

    /// The key that signs results, P-256, made on the first start.
    private static func signingKey(_ keys: KeyStore, now: Int64) async throws -> SigningKey {
        try SigningKey(PrivateKey(pkcs8: await keys.key(.signing, now: now) { try PrivateKey.generate(.p256).pkcs8 }))
    }

    /// Listens and answers. Returns after a graceful shutdown.
    package func run() async throws { try await service.run() }
}
