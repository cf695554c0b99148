internal import CarnetAttester
internal import KubernetesAPI
internal import Logging
internal import Synchronization

/// Shows every passport on the node's own Node object, which nobody but this node can write. One that speaks against the machine is shown too.
struct PassportPublisher: Sendable {
    /// Where passports are shown.
    static let annotation = "carnet.dev/passport"

    let node: String
    let client: NodeClient
    let clock: KeeperClock
    let logger: Logger
    private let tokens: AsyncStream<[UInt8]>
    private let incoming: AsyncStream<[UInt8]>.Continuation
    private let last = Last()

    private final class Last: Sendable {
        let token = Mutex<[UInt8]?>(nil)
    }

    init(node: String, client: NodeClient, clock: KeeperClock, logger: Logger) {
        self.node = node
        self.client = client
        self.clock = clock
        self.logger = logger
        (tokens, incoming) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes a passport to show; one that was not shown yet is forgotten.
    func take(_ token: [UInt8]) {
        last.token.withLock { $0 = token }
        incoming.yield(token)
    }

    /// The last passport that came.
    var latest: [UInt8]? { last.token.withLock { $0 } }

    /// Shows what comes until the task is cancelled. What cannot be shown is tried again until something newer comes.
    func run() async {
        var trying: Task<Void, Never>?
        for await token in tokens {
            trying?.cancel()
            await trying?.value
            trying = Task { await show(token) }
        }
        trying?.cancel()
        await trying?.value
    }

    private func show(_ token: [UInt8]) async {
        var pause: Int64 = 1000, wasTold = false
        while !Task.isCancelled {
            do {
                guard let client = await client.present else { throw KubeletError(.credential, "no certificate yet") }
                try await publish(token, client)
                return logger.info("passport shown", metadata: ["node": .string(node)])
            } catch {
                let isMissing = (error as? KubernetesError)?.code == .notFound
                if !wasTold, !Task.isCancelled {
                    logger.notice(
                        isMissing
                            ? "the cluster has no such Node yet: does the kubelet run with its kubeconfig?"
                            : "the passport cannot be shown now",
                        metadata: ["node": .string(node), "reason": .string("\(error)")])
                    wasTold = true
                }
            }
            guard (try? await clock.sleep(pause)) != nil else { return }
            pause = min(pause * 2, 30_000)
        }
    }

    /// Writes the annotation once.
    func publish(_ token: [UInt8], _ client: KubernetesClient) async throws(KubernetesError) {
        try await client.patch(
            .nodes, node,
            ["metadata": ["annotations": .object([Self.annotation: .string(String(decoding: token, as: UTF8.self))])]])
    }
}
