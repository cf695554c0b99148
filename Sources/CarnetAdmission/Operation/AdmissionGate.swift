import CarnetRelyingService
import CarnetTrustRefresh
import CarnetResult
package import CarnetService
import KubernetesAPI
import Logging
package import ServiceLifecycle

/// The gate of a cluster: approves what attested machines ask for, answers the API server, and marks nodes.
///
/// It keeps nothing: what it knows is in the cluster, and at the verifier. Of several replicas one leads, which approves and marks; all of
/// them answer.
package struct AdmissionGate: CertifiedService {
    /// Every call that it answers.
    package let routes: [Route]
    /// What it counts.
    package let metrics = AdmissionMetrics()
    private let configuration: AdmissionConfiguration
    private let files: AdmissionFiles
    private let service: HTTPService
    private let metricsService: HTTPService?
    private let watch: CertificateWatch?
    private let addresses: AddressBook
    /// Keys or lists came.
    private let news = Ticks()
    /// Somebody would be helped by newer keys or lists.
    private let demand = Ticks()

    private struct Nobody: Authenticator {
        func principal(holding token: String) async throws -> Principal? { nil }
    }

    /// Prepares everything that a gate needs; nothing listens yet.
    ///
    /// - Parameters:
    ///   - onMetricsListening: Called once, with the port on which it serves metrics, if they have one of their own.
    ///   - onListening: Called once, with the port that it listens on.
    /// - Throws: An error that tells the operator what to do.
    package init(
        _ configuration: AdmissionConfiguration,
        onMetricsListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in },
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws {
        let files = try AdmissionFiles(configuration), drain = Drain(), metrics = metrics, demand = demand
        let now = configuration.now, logger = configuration.logger
        let requests = RequestMetrics(metrics.registry)
        let metricsRoute = MetricsRoute.route(metrics.registry) {
            TrustMetrics.look(at: files.trust.refresher, now: now(), into: metrics.registry)
        }
        let addresses = AddressBook(files.client) { error in
            metrics.failed(error)
            logger.warning("nodes cannot be read", metadata: ["reason": .string("\(error)")])
        }
        let readsAddresses = Self.readsAddresses(configuration)
        let webhook = WebhookRoutes(
            review: ReviewRules(
                gateUser: configuration.user, operatorGroups: configuration.operatorGroups,
                exempt: configuration.exemptNodes),
            rules: files.rules, trust: files.trust, addresses: addresses, metrics: metrics, now: now,
            needsNews: { demand.tick() })
        routes =
            (configuration.gates.contains(.webhook) ? webhook.routes : [])
            + HealthRoutes.routes(draining: drain) {
                if let certificate = files.certificate, certificate.expiresAt < now() {
                    throw Unready(description: "the TLS certificate has expired")
                }
                // Keys that grew old leave it ready: nodes that are there keep their place for a while, and new ones wait.
                guard files.trust.isFromFile || files.trust.refresher.fetchedAt != nil else {
                    throw Unready(description: files.trust.refresher.outage ?? "no key of the verifier is known")
                }
                if readsAddresses, !addresses.isSynced {
                    throw Unready(description: addresses.fault ?? "the nodes are not read yet")
                }
            }
            + (configuration.servesMetrics ? [metricsRoute] : [])
        service = try HTTPService(
            routes, authenticator: Nobody(), address: configuration.address, security: configuration.security,
            certificate: files.certificate, limits: configuration.serviceLimits, metrics: requests, drain: drain,
            rateClock: configuration.rateClock, logger: logger, onListening: onListening)
        var metricsLimits = configuration.serviceLimits
        metricsLimits.proxyProtocol = false
        metricsService = try configuration.metricsAddress.map { [metricsLimits] address in
            try HTTPService(
                [metricsRoute], authenticator: Nobody(), address: address, setting: "--metrics-listen",
                security: address.isLoopback ? .plainHTTP : configuration.security,
                certificate: address.isLoopback ? nil : files.certificate, limits: metricsLimits, logger: logger,
                onListening: onMetricsListening)
        }
        watch = files.certificate.map {
            CertificateWatch(
                $0, every: configuration.certificateInterval, now: now, logger: logger, metrics: metrics.registry)
        }
        self.configuration = configuration
        self.files = files
        self.addresses = addresses
    }

    /// Makes every check that a start makes before it listens, and changes nothing.
    ///
    /// - Throws: What a start would throw.
    package static func check(_ configuration: AdmissionConfiguration) throws { _ = try AdmissionFiles(configuration) }

    /// Looks at once whether the TLS certificate's files have changed.
    package func lookAtCertificate() { watch?.look() }

    private struct Unready: Error, CustomStringConvertible {
        let description: String
    }

    private static func readsAddresses(_ configuration: AdmissionConfiguration) -> Bool {
        !configuration.gates.isDisjoint(with: [.webhook, .approver])
    }

    /// Listens, answers, and takes part in the lead. A graceful shutdown ends the lead at once, and the rest when the last answer is given.
    package func run() async throws {
        let logger = configuration.logger, news = news, demand = demand, trust = files.trust
        logger.notice(
            "the gate starts",
            metadata: [
                "version": .string(Release.version), "identity": .string(configuration.identity),
                "gates": .string(configuration.gates.map(\.rawValue).sorted().joined(separator: ",")),
            ])
        trust.tell(logger) { news.tick() }
        let wanted = demand.listen()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { [interval = configuration.bundleInterval] in
                await trust.run(logger, every: interval) { news.tick() }
                return false
            }
            group.addTask {
                for await _ in wanted { _ = await trust.refresher.refreshOnDemand() }
                return false
            }
            if Self.readsAddresses(configuration) {
                group.addTask { [addresses] in
                    await addresses.run()
                    return false
                }
            }
            group.addTask { [self] in
                // Who is asked to stop decides nothing more: another replica goes on while this one still answers the API server.
                await cancelWhenGracefulShutdown { await lead() }
                return false
            }
            group.addTask { [watch] in
                await watch?.run()
                return false
            }
            group.addTask { [metricsService] in
                try await metricsService?.run()
                return false
            }
            group.addTask { [service] in
                try await service.run()
                return true
            }
            while let isEnd = try await group.next(), !isEnd {}
            group.cancelAll()
        }
    }

    /// Takes part in the lead, where a gate needs one.
    private func lead() async {
        let configuration = configuration, metrics = metrics, logger = configuration.logger
        guard !configuration.gates.isDisjoint(with: [.approver, .controller]) else { return }
        let election = LeaderElection(
            files.client,
            .init(
                namespace: configuration.namespace, name: Self.lease, identity: configuration.identity,
                duration: configuration.leaseDuration),
            tell: { step in
                switch step {
                case .began:
                    metrics.leads(true)
                    logger.notice("this replica leads")
                case .ended(let reason):
                    metrics.leads(false)
                    logger.notice("this replica leads no longer", metadata: ["reason": .string(reason)])
                case .follows(let holder):
                    logger.info("another replica leads", metadata: ["identity": .string(String(holder.prefix(256)))])
                case .failed(let reason):
                    logger.warning("the lease cannot be had", metadata: ["reason": .string(reason)])
                }
            })
        await election.run { leadership in await work(leadership) }
    }

    /// The lease's name.
    package static let lease = "carnet-admission"

    private func work(_ leadership: Leadership) async {
        let configuration = configuration, demand = demand
        let events = EventRecorder(files.client, identity: configuration.identity, now: configuration.now)
        let seconds = max((configuration.leaseDuration / 3).components.seconds, 1)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await events.run(leadership, configuration.logger) }
            if configuration.gates.contains(.approver) {
                let approver = Approver(
                    client: files.client, rules: files.rules, trust: files.trust, addresses: addresses,
                    metrics: metrics, logger: configuration.logger, now: configuration.now, writeSeconds: seconds,
                    needsNews: { demand.tick() })
                group.addTask { [news] in await approver.run(leadership, events: events, news: news.listen()) }
            }
            if configuration.gates.contains(.controller) {
                let controller = NodeController(
                    client: files.client, rules: files.rules, trust: files.trust, limits: configuration.limits,
                    exempt: configuration.exemptNodes, namespace: configuration.namespace, metrics: metrics,
                    logger: configuration.logger, now: configuration.now, writeSeconds: seconds,
                    tick: configuration.tick, needsNews: { demand.tick() })
                group.addTask { [news] in await controller.run(leadership, events: events, news: news.listen()) }
            }
        }
    }
}
