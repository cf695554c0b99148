internal import CarnetAttester
internal import CarnetService
internal import Foundation
public import ServiceLifecycle
internal import Logging

/// The agent as a service: keeps the passport, and gives it to local programs. It listens on a socket of Unix and nowhere else.
public struct AgentDaemon: Service {
    private let configuration: AgentConfiguration
    private let keeper: PassportKeeper
    private let socket: AgentSocket
    private let lock: FileLock
    private let service: HTTPService

    /// Takes the state directory and the socket, and removes what an agent left that was killed.
    ///
    /// - Parameter onListening: Called once the socket can be used.
    /// - Throws: ``AgentStartError``, ``RouteTableError`` and ``ServiceStartError``.
    public init(_ configuration: AgentConfiguration, onListening: @escaping @Sendable () async -> Void = {})
        async throws
    {
        self.configuration = configuration
        try? FileManager.default.createDirectory(
            atPath: configuration.stateDirectory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        lock = try FileLock(
            configuration.stateDirectory + "/agent.lock", of: "the state in \(configuration.stateDirectory)")
        let socket = try AgentSocket(configuration.socket)
        self.socket = socket
        try configuration.files.begin()
        let diary = StatusDiary(configuration)
        let keeper = await PassportKeeper(
            configuration.machine, pace: configuration.pace, watchSeconds: configuration.watchSeconds,
            clock: configuration.clock
        ) { await diary.note($0) }
        self.keeper = keeper
        let routes = LocalRoutes(
            keeper: keeper, rules: configuration.rules, rates: configuration.rates, status: diary.document)
        let logger = configuration.logger, others = configuration.rules.admitsOthers
        service = try HTTPService(
            routes.all, authenticator: Nobody(), address: ListenAddress(socketPath: socket.path), setting: "--socket",
            security: .plainHTTP, limits: Self.limits, logger: logger,
            onListening: { _ in
                do {
                    try socket.open(toOthers: others)
                    logger.notice("listening", metadata: ["socket": .string(socket.path)])
                    await onListening()
                } catch {
                    logger.error("\(error)")
                }
            })
    }

    /// Few and small: the callers are programs of this machine.
    private static var limits: ServiceLimits {
        var limits = ServiceLimits()
        limits.headerByteCount = 8 * 1024
        limits.headerFieldByteCount = 4 * 1024
        limits.totalBodyByteCount = 1 << 20
        limits.ordinaryBodyByteCount = 8 * 1024
        limits.connectionCount = 64
        // Nobody has an address here: users are told apart at each call.
        limits.connectionCountPerClient = 64
        limits.clientRate = .none
        limits.idleSeconds = 30
        limits.finishSeconds = 5
        return limits
    }

    /// Keeps and answers until a graceful shutdown. Then the socket and the files are gone.
    public func run() async throws {
        let keeping = Task { await keeper.run() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await service.run())
        } catch {
            result = .failure(error)
        }
        keeping.cancel()
        await keeping.value
        configuration.files.end()
        socket.remove()
        try result.get()
    }

    /// Attests as soon as it may.
    public func attestNow() async { await keeper.attestNow() }

    /// Nobody has a credential here: who calls is the kernel's to say.
    private struct Nobody: Authenticator {
        func principal(holding token: String) async throws -> Principal? { nil }
    }
}
