import CarnetClient
import CarnetRecords
import CarnetRelyingParty
import CarnetRelyingService
import CarnetResult
package import CarnetService
import CarnetTrustRefresh
import Cryptography
import Foundation
import ServiceLifecycle

/// The key broker: opens its database and keys, and gives secrets to machines whose passports say that they may have them.
package struct Broker: CertifiedService {
    /// Every call that it answers.
    package let routes: [Route]
    private let whole: ServiceRun
    private let watch: CertificateWatch?

    /// Opens everything that a broker needs; nothing listens yet.
    ///
    /// - Parameters:
    ///   - onMetricsListening: Called once, with the port on which it serves metrics, if they have one of their own.
    ///   - onListening: Called once, with the port that it listens on.
    /// - Throws: An error that tells the operator what to do.
    package init(
        _ configuration: BrokerConfiguration,
        onMetricsListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in },
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) async throws {
        let files = try BrokerFiles(configuration), settings = configuration.records
        let metrics = BrokerMetrics(), drain = Drain(), clock = settings.clock
        let records = try await Records.open(
            settings, .broker, migrations: BrokerSchema.migrations, bootstrap: "carnet-broker bootstrap",
            failed: metrics.databaseFailed)
        let trustKey = try await records.keys.key(.keptTrust, now: clock.now) { SecureRandom.bytes(32) }
        files.trust.keep(
            in: KeptTrustFile(path: settings.dataDirectory + "/kept-trust", key: trustKey), settings.logger)
        files.trust.tell(settings.logger)
        let requests = RequestMetrics(metrics.registry)
        let gauges = RecordsGauges(metrics.registry, of: records, settings.signingKeys, clock: clock) {
            metrics.look(at: files.trust.refresher, now: clock.now)
        }
        let metricsRoute = MetricsRoute.route(metrics.registry) { await gauges.collect() }
        let readiness = Readiness(records.database, clock: clock, certificate: files.certificate) {
            _ = try await records.signingKeys.signer()
        }
        routes =
            try await Self.routes(configuration, records, files.trust, metrics, requests)
            + HealthRoutes.routes(draining: drain) {
                try await readiness.check()
                try files.trust.check()
            }
            + (configuration.servesMetrics ? [metricsRoute] : [])
        let service = try HTTPService(
            routes, authenticator: records.tokens, address: configuration.address, security: configuration.security,
            certificate: files.certificate, clients: files.clients, limits: configuration.limits, metrics: requests,
            drain: drain, rateClock: configuration.rateClock, logger: settings.logger, onListening: onListening)
        // Whoever reads metrics comes without a proxy.
        var metricsLimits = configuration.limits
        metricsLimits.proxyProtocol = false
        let metricsService = try configuration.metricsAddress.map { [metricsLimits] address in
            try HTTPService(
                [metricsRoute], authenticator: records.tokens, address: address, setting: "--metrics-listen",
                security: address.isLoopback ? .plainHTTP : configuration.security,
                certificate: address.isLoopback ? nil : files.certificate, limits: metricsLimits,
                logger: settings.logger, onListening: onMetricsListening)
        }
        watch = files.certificate.map {
            CertificateWatch(
                $0, clients: files.clients, every: configuration.certificateInterval, now: { clock.now },
                logger: settings.logger, metrics: metrics.registry)
        }
        whole = ServiceRun(
            service, keeping: records,
            beside: [
                { [watch] in await watch?.run() }, { try await metricsService?.run() },
                { await files.trust.run(settings.logger) },
            ], version: Release.version, clock: clock, logger: settings.logger)
    }

    /// Looks at once whether the TLS certificate's files have changed.
    package func lookAtCertificate() { watch?.look() }

    /// Listens and answers. Returns after a graceful shutdown. The ledger tells both ends, and a checkpoint covers the last.
    package func run() async throws { try await whole.run() }

    private static func routes(
        _ configuration: BrokerConfiguration, _ records: Records, _ trust: TrustKeeper, _ metrics: BrokerMetrics,
        _ requests: RequestMetrics
    ) async throws -> [Route] {
        let clock = configuration.records.clock, ledger = records.ledger, wrapping = records.keys.wrapping
        let nonceKey = try await records.keys.key(.proofNonces, now: clock.now) { SecureRandom.bytes(32) }
        let rates = RateLimiter(configuration.machineRate, clock: configuration.rateClock)
        let calls = MachineCalls(
            trust: trust.refresher, nonces: try ProofNonces(sharedKey: nonceKey), base: configuration.url,
            rates: rates, ledger: ledger, clock: clock)
        let fresh = FreshEvidence(
            ledger: ledger, checks: configuration.backgroundChecks.map(BackgroundChecks.init), trust: trust.refresher,
            clock: clock)
        let releases = Releases(ledger: ledger, wrapping: wrapping, fresh: fresh, clock: clock, metrics: metrics)
        let sessionKey = try await records.keys.key(.keyBrokerSessions, now: clock.now) { SecureRandom.bytes(32) }
        let attestation = KeyBrokerAttester(
            sessions: KeyBrokerSessions(ledger: ledger, key: sessionKey, clock: clock),
            checks: configuration.backgroundChecks.map(BackgroundChecks.init), trust: trust.refresher)
        let policies = ReleasePolicyStore(ledger), escrow = EscrowStore(ledger, wrapping)
        let desk = WorkQueue(.operators, metrics: requests)
        let clients = KeyBrokerRoutes(
            attester: attestation, releases: releases, trust: trust.refresher, rates: rates, clock: clock,
            queue: WorkQueue(.keyBrokerClients, metrics: requests))
        let machines =
            ReleaseRoutes(calls: calls, releases: releases, fresh: fresh).routes
            + EscrowRoutes(calls: calls, releases: releases, escrow: escrow, policies: policies, clock: clock).routes
            + clients.routes + KeyBrokerAdminRoutes.routes
        return machines
            + AdminSecretRoutes(secrets: SecretStore(ledger, wrapping), clock: clock, queue: desk).routes
            + AdminReleasePolicyRoutes(policies: policies, clock: clock, queue: desk).routes
            + AdminEscrowRoutes(escrow: escrow, clock: clock, queue: desk).routes
            + KeyRoutes(keys: records.signingKeys).routes
            + AdminTokenRoutes(tokens: records.tokens, clock: clock, queue: desk).routes
            + AdminSigningKeyRoutes(
                keys: records.signingKeys, store: records.signingKeyStore,
                schedule: configuration.records.signingKeys, checkpoints: records.checkpoints, clock: clock
            ).routes
            + AdminLedgerRoutes(
                ledger: ledger, checkpoints: records.checkpoints,
                retention: LedgerRetention(ledger: ledger, clock: clock), clock: clock, queue: desk
            ).routes
    }
}

extension KeyStore.Purpose {
    /// From which the nonces for proofs of possession are made.
    fileprivate static let proofNonces = KeyStore.Purpose("proof-nonces")
    /// With which the verifier's keys and lists are marked, where they are kept for the next start.
    fileprivate static let keptTrust = KeyStore.Purpose("kept-trust")
    /// With which key-broker clients' sessions are marked as this broker's.
    fileprivate static let keyBrokerSessions = KeyStore.Purpose("kbs-sessions")
}
