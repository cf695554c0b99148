import CarnetService
import CarnetStorage
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
        let database = try SQLiteDatabase(path: directory.database)
        try await database.migrate(Schema.migrations, now: clock.now)
        let tokens = APITokenStore(database)
        if try await tokens.bootstrap(tokenFile: directory.operatorToken, now: clock.now) {
            configuration.logger.notice(
                "first administrator created", metadata: ["file": .string(directory.operatorToken)])
        }
        let routes =
            HealthRoutes.routes { try await database.write { _ = try $0.row("SELECT id FROM keys LIMIT 1") } }
            + AdminNodeRoutes(nodes: NodeStore(database), clock: clock).routes
            + AdminEndorsementKeyRoutes(register: EndorsementKeyRegister(database), clock: clock).routes
            + AdminTokenRoutes(tokens: tokens, clock: clock).routes
            + AdminAppraisalRoutes(ledger: Ledger(database)).routes
        service = try HTTPService(
            routes, authenticator: tokens, address: configuration.address, security: configuration.security,
            limits: configuration.limits, logger: configuration.logger, onListening: onListening)
    }

    /// Listens and answers. Returns after a graceful shutdown.
    package func run() async throws { try await service.run() }
}
