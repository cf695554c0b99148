import CarnetRecords
import CarnetAppraisal
import CarnetEvidence
import CarnetLedger
import CarnetResult
package import CarnetService
import CarnetStorage
import Cryptography
import Foundation
import Logging
import ServiceLifecycle
import StrictEncoding

/// The passport office: opens its database and keys, and answers until it is asked to stop.
package struct Verifier: CertifiedService {
    /// Every call that it answers.
    package let routes: [Route]
    private let whole: ServiceRun
    private let watch: CertificateWatch?

    /// Opens everything that a verifier needs; nothing listens yet.
    ///
    /// On the first start it creates the database, the key-encryption key and the first signing keys. The first administrator is
    /// somebody's decision: ``APITokenStore/bootstrap(name:expiresAt:recovers:now:)``.
    ///
    /// - Parameters:
    ///   - onMetricsListening: Called once, with the port on which it serves metrics, if they have one of their own.
    ///   - onListening: Called once, with the port that it listens on.
    /// - Throws: An error that tells the operator what to do.
    package init(
        _ configuration: VerifierConfiguration,
        onMetricsListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in },
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) async throws {
        let files = try VerifierFiles(configuration), certificate = files.certificate
        let metrics = VerifierMetrics(), drain = Drain()
        let records = try await Records.open(
            configuration.records, .verifier, migrations: Schema.migrations, bootstrap: "carnet-verifier bootstrap",
            failed: metrics.databaseFailed
        ) { connection in
            if !configuration.changesIssuer { try Issuer.check(configuration.issuer, in: connection) }
        }
        let former = try await Issuer.take(
            configuration.issuer, changing: configuration.changesIssuer, in: records.ledger, at: configuration.clock.now
        )
        if let former {
            configuration.logger.warning(
                "the issuer was changed: relying parties have to accept the new one",
                metadata: ["former": .string(former), "issuer": .string(configuration.issuer)])
        }
        let (keys, ledger, signingKeys) = (records.keys, records.ledger, records.signingKeys)
        let webhooks = WebhookDispatcher(
            queue: keys.webhookQueue(ledger),
            sender: WebhookSender(
                rules: configuration.receivers, authorityFile: configuration.receiverAuthorityFile,
                timeout: configuration.receiverTimeout),
            interval: configuration.webhookInterval, clock: configuration.clock, metrics: metrics,
            logger: configuration.logger)
        try await Self.activatePolicy(files.policy, configuration, PolicyStore(ledger))
        let gauges = RecordsGauges(
            metrics.registry, of: records, configuration.signingKeys, clock: configuration.clock
        ) {
            guard let (waiting, failing) = try? await ledger.webhookLoad() else { return }
            metrics.registry.set("carnet_webhook_messages_waiting", Double(waiting))
            metrics.registry.set("carnet_webhook_receivers_failing", Double(failing))
        }
        let metricsRoute = MetricsRoute.route(metrics.registry) { await gauges.collect() }
        let readiness = Readiness(records.database, clock: configuration.clock, certificate: certificate) {
            _ = try await signingKeys.signer()
        }
        routes =
            try await Self.routes(
                configuration, records, files.anchors, metrics, readiness)
            + HealthRoutes.routes(draining: drain) { try await readiness.check() }
            + (configuration.servesMetrics ? [metricsRoute] : [])
        let service = try HTTPService(
            routes, authenticator: records.tokens, address: configuration.address, security: configuration.security,
            certificate: certificate, clients: files.clients, limits: configuration.limits,
            metrics: RequestMetrics(metrics.registry), drain: drain, rateClock: configuration.workLimits.clock,
            logger: configuration.logger, onListening: onListening)
        // Whoever reads metrics comes without a proxy.
        var metricsLimits = configuration.limits
        metricsLimits.proxyProtocol = false
        let metricsService = try configuration.metricsAddress.map { [metricsLimits] address in
            try HTTPService(
                [metricsRoute], authenticator: records.tokens, address: address, setting: "--metrics-listen",
                security: address.isLoopback ? .plainHTTP : configuration.security,
                certificate: address.isLoopback ? nil : certificate, limits: metricsLimits,
                logger: configuration.logger, onListening: onMetricsListening)
        }
        let clock = configuration.clock
        watch = certificate.map {
            CertificateWatch(
                $0, clients: files.clients, every: configuration.certificateInterval, now: { clock.now },
                logger: configuration.logger,
                metrics: metrics.registry)
        }
        whole = ServiceRun(
            service, keeping: records,
            beside: [
                { await webhooks.run() }, { [watch] in await watch?.run() }, { try await metricsService?.run() },
            ], version: Build.version, clock: clock, logger: configuration.logger)
    }

    /// Looks at once whether the TLS certificate's files have changed.
    package func lookAtCertificate() { watch?.look() }

    /// Listens and answers. Returns after a graceful shutdown. The ledger tells both ends, and a checkpoint covers the last.
    package func run() async throws { try await whole.run() }

    private static func routes(
        _ configuration: VerifierConfiguration, _ records: Records, _ anchors: [Certificate],
        _ metrics: VerifierMetrics, _ readiness: Readiness
    ) async throws -> [Route] {
        let (database, ledger, checkpoints) = (records.database, records.ledger, records.checkpoints)
        let (keys, signingKeys, tokens) = (records.keys, records.signingKeys, records.tokens)
        let clock = configuration.clock
        let requests = RequestMetrics(metrics.registry)
        let nodes = NodeStore(ledger)
        let policies = PolicyStore(ledger)
        let templates = PCRTemplateStore(ledger)
        let sets = ReferenceSetStore(ledger)
        let policy = ActivePolicy(policies, templates, sets)
        let register = EndorsementKeyRegister(ledger)
        let sessionKey = try await keys.key(.session, now: clock.now) { SecureRandom.bytes(32) }
        let appraisals = Appraisals(
            nodes: nodes, ledger: ledger, policy: policy, revocations: Revocations(ledger),
            issuer: TokenIssuer(
                issuer: configuration.issuer, lifetime: configuration.tokenLifetime,
                signingKey: { try await signingKeys.signer() }, refersToStatusLists: configuration.refersToStatusLists),
            clock: clock, metrics: metrics,
            rates: NodeRates(
                configuration.workLimits.nodeRate, clock: configuration.workLimits.clock, metrics: requests))
        let queue = WorkQueue(configuration.workLimits.queue, metrics: requests)
        let desk = WorkQueue(.operators, metrics: requests)
        let sessions = Sessions(
            seal: SessionSeal(key: sessionKey), nodes: nodes, ledger: ledger, policy: policy,
            lifetime: configuration.sessionLifetime,
            clock: clock)
        let enrolment = Enrolment(
            endorsement: Endorsement(anchors: anchors, register: register, clock: clock),
            enrolments: EnrolmentStore(ledger), nodes: nodes, policy: policy,
            approvesOnEnrolment: configuration.approvesOnEnrolment, clock: clock)
        return DiscoveryRoutes(issuer: configuration.issuer, keys: signingKeys) { try await readiness.check() }.routes
            + StatusListRoutes(
                publisher: StatusListPublisher(
                    database, signingKey: { try await signingKeys.signer() }, issuer: configuration.issuer,
                    clock: clock,
                    metrics: metrics)
            ).routes
            + EnrolmentRoutes(enrolment: enrolment, queue: queue).routes
            + ChallengeRoutes(
                sessions: sessions, appraisals: appraisals, audiences: configuration.audiences, queue: queue
            ).routes
            + BackgroundCheckRoutes(
                nodes: nodes, policy: policy, appraisals: appraisals, clock: clock, queue: queue
            ).routes
            + AdminNodeRoutes(nodes: nodes, database: database, clock: clock, queue: desk).routes
            + AdminEndorsementKeyRoutes(register: register, clock: clock, queue: desk).routes
            + AdminPolicyRoutes(
                policies: policies,
                rehearsal: Rehearsal(nodes: nodes, policy: policy, database: database, clock: clock), clock: clock,
                queue: desk
            ).routes
            + AdminReferenceSetRoutes(sets: sets, policies: policies, clock: clock, queue: desk).routes
            + AdminTemplateRoutes(templates: templates, clock: clock, queue: desk).routes
            + AdminTokenRoutes(tokens: tokens, clock: clock, queue: desk).routes
            + AdminSigningKeyRoutes(
                keys: signingKeys, store: records.signingKeyStore,
                schedule: configuration.signingKeys, checkpoints: checkpoints, clock: clock
            ).routes
            + AdminAppraisalRoutes(
                ledger: ledger,
                reappraisal: Reappraisal(
                    ledger: ledger, nodes: nodes, policies: policies, references: sets, templates: templates),
                queue: desk
            ).routes
            + AdminWebhookRoutes(
                webhooks: keys.webhooks(ledger), rules: configuration.receivers, clock: clock
            ).routes
            + AdminRevocationRoutes(revocations: Revocations(ledger), clock: clock, queue: desk).routes
            + AdminLedgerRoutes(
                ledger: ledger, checkpoints: checkpoints, retention: LedgerRetention(ledger: ledger, clock: clock),
                clock: clock, queue: desk
            ).routes
    }

    /// Checks that the sets of reference values that a policy names are there: without them it would affirm nobody.
    ///
    /// - Throws: ``Problem`` when one is not.
    static func requireReferences(of text: [UInt8], _ references: ReferenceSetStore) async throws {
        try await references.resolve(Policy(parsing: text)).requireReferences()
    }

    /// Stores and activates the policy of the command line, if there is one.
    private static func activatePolicy(
        _ text: [UInt8]?, _ configuration: VerifierConfiguration, _ policies: PolicyStore
    ) async throws {
        guard let text, let path = configuration.policyFile else { return }
        let record: PolicyStore.Record
        do {
            record = try await policies.store(text, by: "command-line", now: configuration.clock.now)
        } catch let error as PolicyError {
            throw VerifierConfigurationError.policy(path, "\(error)")
        }
        // A file that was activated before does not undo what operators activated since.
        guard try await !policies.wasActivated(record.digest) else {
            let active = try await policies.active().map(\.digest)
            if !active.contains(record.digest) {
                configuration.logger.notice(
                    "the policy of the command line was replaced by a later one, which stays active",
                    metadata: ["active": .string(active.map { Hexadecimal.encode($0) }.joined(separator: " "))])
            }
            return
        }
        do {
            try await Self.requireReferences(of: text, ReferenceSetStore(policies.ledger))
        } catch let problem as Problem {
            throw VerifierConfigurationError.policy(path, problem.detail)
        }
        _ = try await policies.activate(record.digest, by: "command-line", now: configuration.clock.now)
        configuration.logger.notice(
            "policy activated",
            metadata: ["policy": .string(record.id), "policy_sha256": .string(Hexadecimal.encode(record.digest))])
    }
}
