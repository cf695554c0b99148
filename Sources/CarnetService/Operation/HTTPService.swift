import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
public import Logging
import NIOCore
import NIOSSL
public import ServiceLifecycle

/// A service that answers the calls of a ``RouteTable`` over HTTP, until it is asked to stop.
///
/// Everything that can be wrong with its configuration is found when it is made, before anything listens.
public struct HTTPService: Service {
    private let application: Application<RouterResponder<ServiceContext>>
    private let drain: Drain
    private let limits: ServiceLimits
    private let logger: Logger
    private let address: ListenAddress
    private let setting: String

    /// Prepares the service.
    ///
    /// - Parameters:
    ///   - routes: What it answers.
    ///   - setting: What `address` is called where it is configured, for a message.
    ///   - authenticator: Knows the callers of routes that need a credential.
    ///   - certificate: What it shows to new connections; `nil` to read it from the files that `security` names.
    ///   - clients: Knows operators by the certificates of their TLS clients; `nil` to ask nobody for one.
    ///   - metrics: Where requests are counted.
    ///   - rateClock: The clock of the rates.
    ///   - drain: Says, from the moment on in which it is asked to stop, that it was.
    ///   - onListening: Called once, with the port that the service listens on.
    /// - Throws: ``RouteTableError`` and ``ServiceStartError``.
    public init(
        _ routes: [Route], authenticator: any Authenticator, address: ListenAddress, setting: String = "--listen",
        security: TransportSecurity, certificate: ServerCertificate? = nil, clients: ClientCertificates? = nil,
        limits: ServiceLimits = ServiceLimits(), metrics: RequestMetrics? = nil,
        drain: Drain = Drain(), rateClock: RateClock = .system, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws {
        var limits = limits
        let wanted = limits.connectionCount
        limits.connectionCount = DescriptorLimit.connections(wanted: wanted)
        if limits.connectionCount < wanted {
            logger.warning(
                "fewer connections than configured: raise the limit of open files (LimitNOFILE=)",
                metadata: ["connections": .stringConvertible(limits.connectionCount)])
        }
        let gate = ConnectionGate(limits, metrics: metrics)
        let rates = ClientRates(limits.clientRate, clock: rateClock, metrics: metrics)
        let boundary = RequestBoundary(
            metrics: metrics, drain: drain, gate: gate, proxies: TrustedProxies(limits.trustedProxies), rates: rates,
            alwaysServed: Set(routes.filter(\.isAlwaysServed).map(\.path)),
            wordings: Dictionary(routes.compactMap { route in route.wording.map { (route.path, $0) } }) { first, _ in
                first
            },
            wordingsBelow: Dictionary(
                routes.compactMap { route in
                    route.wordingBase.flatMap { base in route.wording.map { (base, $0) } }
                }
            ) { first, _ in first })
        let budget = BodyBudget(limits.totalBodyByteCount, ordinaryByteCount: limits.ordinaryBodyByteCount)
        let turns = LargeBodyTurns(limits.totalBodyByteCount / 8, metrics: metrics)
        let ordinary = limits.ordinaryBodyByteCount
        let router = Self.router(try RouteTable(routes), boundary) { entry in
            RouteEndpoint(
                entry: entry, authenticator: authenticator, clients: clients, budget: budget, turns: turns,
                ordinaryBodyByteCount: ordinary, rates: rates, metrics: metrics)
        }
        var tls = try (certificate ?? security.certificate(for: address))?.configuration
        if clients != nil, var asking = tls {
            ClientCertificates.ask(&asking)
            tls = asking
        }
        self.drain = drain
        self.limits = limits
        self.logger = logger
        self.address = address
        self.setting = setting
        application = Application(
            router: router,
            server: Self.server(limits, tls, gate),
            configuration: ApplicationConfiguration(
                address: address.bound,
                // A few more than the gate lets in: those that it closes are not gone at once.
                availableConnectionsDelegate: .maximum(limits.connectionCount + 128, logger: logger)),
            onServerRunning: { channel in
                await onListening(channel.localAddress?.port ?? address.port)
            },
            logger: logger)
    }

    /// Listens and answers. Returns after a graceful shutdown.
    ///
    /// When it is asked to stop it says so at once (``Drain``) and goes on answering for `drainSeconds`, so that whoever sends requests here
    /// can learn of it. Then it takes no new connection, and answers what it has begun within `finishSeconds`.
    public func run() async throws {
        var configuration = ServiceGroupConfiguration(services: [application], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(limits.finishSeconds)
        let group = ServiceGroup(configuration: configuration)
        // A task of its own does not hear of the shutdown before the group is told.
        let running = Task.detached { try await group.run() }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                do {
                    try await running.value
                } catch  where drain.isBegun {
                    logger.warning("requests were cut off: they took longer than a stop allows")
                } catch let error as IOError where Self.isAboutListening(error) {
                    throw ServiceStartError.cannotListen(address, setting: setting, errno: error.errnoCode)
                }
            } onGracefulShutdown: {
                drain.begin()
                let seconds = limits.drainSeconds
                Task {
                    if seconds > 0 { try? await Task.sleep(for: .seconds(seconds)) }
                    await group.triggerGracefulShutdown()
                }
            }
        } onCancel: {
            running.cancel()
        }
    }

    private static func isAboutListening(_ error: IOError) -> Bool {
        [EADDRINUSE, EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL].contains(error.errnoCode)
    }

    private static func server(
        _ limits: ServiceLimits, _ tls: TLSConfiguration?, _ gate: ConnectionGate
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            let plain = HTTP1Channel(
                responder: responder,
                configuration: .init(
                    additionalChannelHandlers: [RequestTimeLimit(limits)],
                    idleTimeout: .seconds(Int64(limits.idleSeconds)),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: limits.headerFieldByteCount, maxHeaderListSize: limits.headerByteCount,
                        maxHeaderFieldCount: limits.headerFieldCount)))
            return if let tls {
                // What a client shows is judged where it matters, at each request: TLS itself proves that it holds the key.
                GatedChannel(
                    base: try TLSChannel(
                        plain,
                        configuration: TLSChannelConfiguration(
                            tlsConfiguration: tls,
                            customVerificationCallback: { _, promise in promise.succeed(.certificateVerified) })),
                    gate: gate)
            } else {
                GatedChannel(base: plain, gate: gate)
            }
        }
    }

    private static func router(
        _ table: RouteTable, _ boundary: RequestBoundary, _ endpoint: (RouteTable.Entry) -> RouteEndpoint
    ) -> Router<ServiceContext> {
        let router = Router(context: ServiceContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: boundary)
        for (path, entries) in table.byPath {
            for entry in entries {
                router.on(RouterPath(path), method: entry.route.method, responder: endpoint(entry))
            }
            let allowed = allowedMethods(entries)
            for method in methods where !allowed.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw Problem.methodNotAllowed(allowed.map(\.rawValue).joined(separator: ", "))
                }
            }
        }
        return router
    }

    /// Methods that are answered with 405 where a path does not have them; all others are unknown to every path.
    private static let methods: [HTTPRequest.Method] =
        [.get, .head, .post, .put, .patch, .delete, .options, .trace]
        + [HTTPRequest.Method("QUERY")].compactMap(\.self)

    private static func allowedMethods(_ entries: [RouteTable.Entry]) -> [HTTPRequest.Method] {
        let own = entries.map(\.route.method)
        return methods.filter { own.contains($0) || ($0 == .head && own.contains(.get)) }
    }
}
