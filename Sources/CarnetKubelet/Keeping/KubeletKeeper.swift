package import CarnetAttester
package import CarnetClient
internal import KubernetesAPI
package import Logging
internal import NodeAdmission
package import ServiceLifecycle

/// Keeps a node's certificates, and shows its passports: for as long as it runs, or once.
package struct KubeletKeeper: Service {
    private let settings: KubeletSettings
    private let machine: KubeletMachine
    private let client: ClientCertificate
    private let serving: ServingCertificate?
    private let node: NodeClient
    private let publisher: PassportPublisher
    private let watchSeconds: Int
    private let logger: Logger

    /// A keeper that has done nothing yet.
    ///
    /// - Parameters:
    ///   - machine: Makes the machine with what is to be told of every signed result.
    ///   - watchSeconds: How often it looks whether the machine has changed.
    package init(
        _ settings: KubeletSettings, watchSeconds: Int = 5, clock: KeeperClock = .system, logger: Logger,
        machine: (_ listener: @escaping @Sendable ([UInt8]) async -> Void) -> KubeletMachine
    ) {
        self.settings = settings
        self.watchSeconds = watchSeconds
        self.logger = logger
        let node = NodeClient()
        self.node = node
        let publisher = PassportPublisher(node: settings.node, client: node, clock: clock, logger: logger)
        self.publisher = publisher
        let machine = machine { publisher.take($0) }
        self.machine = machine
        func asking(_ signer: NodeCertificateRequest.Signer) -> CertificateAsking {
            CertificateAsking(
                node: settings.node, signer: signer, life: settings.life,
                asksKeyEncipherment: settings.asksKeyEncipherment, machine: machine, logger: logger)
        }
        client = ClientCertificate(
            settings: settings, asking: asking(.apiServerClientKubelet), node: node, logger: logger)
        serving = settings.servingFile.map {
            ServingCertificate(
                settings: settings, file: $0, asking: asking(.kubeletServing), node: node, logger: logger)
        }
    }

    /// Gets a certificate if the node has none, or its time has come, and shows one passport.
    ///
    /// - Returns: Whether the passport is shown: the Node may not be there yet.
    package func once() async throws -> Bool {
        let result: Result<Bool, any Error>
        do {
            result = .success(try await allOnce())
        } catch { result = .failure(error) }
        await node.close()
        return try result.get()
    }

    private func allOnce() async throws -> Bool {
        let held = client.held
        if let held { try await node.use(held, settings) }
        do {
            if (held?.renewalDue(jitter: 0) ?? 0) <= machine.clock.calendar() { try await client.renew() }
            try await machine.requirePassport()
        } catch {
            // The verifier's word against the machine is shown as any other.
            _ = try? await showOnce()
            throw error
        }
        let isShown = try await showOnce()
        if let serving, isShown, (serving.held?.renewalDue(jitter: 0) ?? 0) <= machine.clock.calendar() {
            try await serving.renew()
        }
        return isShown
    }

    /// Shows the last passport, if there is one, and a Node to show it on.
    private func showOnce() async throws(KubernetesError) -> Bool {
        guard let token = publisher.latest, let client = await node.present else { return false }
        do throws(KubernetesError) {
            try await publisher.publish(token, client)
            return true
        } catch {
            guard error.code == .notFound else { throw error }
            return false
        }
    }

    /// Keeps everything until a graceful shutdown.
    package func run() async throws {
        if let held = client.held { try? await node.use(held, settings) }
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await publisher.run() }
                group.addTask { await keepPassport() }
                group.addTask {
                    await keep("certificate", held: { client.held }) { try await client.renew() }
                }
                if let serving {
                    group.addTask {
                        await keep("serving certificate", held: { serving.held }) { try await serving.renew() }
                    }
                }
            }
        }
        await node.close()
    }

    private func keepPassport() async {
        let keeper = await PassportKeeper(machine, watchSeconds: watchSeconds, clock: machine.clock) { status in
            if let failure = status.failure {
                logger.warning("no passport", metadata: ["reason": .string(failure)])
            } else if status.passport == nil, !status.findings.isEmpty {
                let rules = Set(status.findings.map(\.rule)).sorted().joined(separator: " ")
                logger.error("the machine is not what the policy allows", metadata: ["rules": .string(rules)])
            }
        }
        await keeper.run()
    }

    /// Renews a certificate whenever its time has come; after a failure, more and more seldom.
    private func keep(
        _ what: String, held: () -> NodeCredential?, renew: () async throws -> Void
    ) async {
        var failureCount = 0, earliest: Int64 = 0
        let jitter = machine.clock.jitter()
        while !Task.isCancelled {
            let now = machine.clock.calendar(), due = max(held()?.renewalDue(jitter: jitter) ?? 0, earliest)
            guard due <= now else {
                failureCount = 0
                // In pieces, for a machine that slept, or whose clock was set, meanwhile.
                guard (try? await machine.clock.sleep(min(due - now, 30) * 1000)) != nil else { return }
                continue
            }
            do {
                try await renew()
                failureCount = 0
                // Signers date certificates back: a short one would be due at once.
                earliest = held().map { now + ($0.notAfter - now) / 2 } ?? 0
            } catch {
                guard !Task.isCancelled else { return }
                failureCount += 1
                let pause = Self.pause(failureCount, machine.clock.jitter())
                logger.error(
                    "no new \(what); trying again",
                    metadata: ["reason": .string("\(error)"), "seconds": .stringConvertible(pause / 1000)])
                guard (try? await machine.clock.sleep(pause)) != nil else { return }
            }
        }
    }

    /// From two seconds up to five minutes, in milliseconds, a half of it by chance.
    static func pause(_ count: Int, _ jitter: Double) -> Int64 {
        let longest = min(Int64(2000) << Int64(min(max(count - 1, 0), 8)), 300_000)
        return longest / 2 + Int64(min(max(jitter, 0), 1) * Double(longest / 2))
    }
}
