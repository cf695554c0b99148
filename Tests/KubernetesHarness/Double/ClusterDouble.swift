import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import StrictEncoding
import Synchronization

/// A double of a Kubernetes API server, in the test's process: no part of Kubernetes, and not the real thing.
///
/// It keeps nodes, events, config maps, namespaces, service accounts, certificate signing requests, leases, roles and their bindings, and
/// validating webhook configurations in memory, and answers over HTTPS as an API server answers for them: versions and conflicts, lists in
/// pages, watches, merge patches, RBAC, NodeRestriction, the rules of signing requests and a signer for approved ones, admission webhooks,
/// and refusals as `Status` objects. `KubernetesHarnessTests` holds it and the real server (``RealCluster``) to the same statements.
///
/// What it does not do: other kinds of objects, other kinds of patches (but a strategic one of a node's conditions), finalizers and owners, defaults of fields that nobody here reads,
/// `managedFields`, dropping of unknown fields, and controllers beyond the signer.
package final class ClusterDouble: Sendable {
    /// How a double behaves.
    package struct Options: Sendable {
        /// Where releases of Kubernetes differ.
        package var version = ClusterVersion.current
        /// Whether approved requests are signed.
        package var signs = true
        /// The longest certificate that is signed, in seconds.
        package var maximumLife = 86_400
        /// The largest object that is stored, in bytes of its JSON: etcd's limit for a request (it keeps another encoding).
        package var maximumObjectByteCount = 1_572_864
        /// How often a watch that wants bookmarks gets one.
        package var bookmarkInterval = Duration.seconds(60)
        /// The clock of creation times and conditions: seconds since 1970.
        package var now: @Sendable () -> Int64 = { Int64(Date.now.timeIntervalSince1970) }

        /// The usual ones.
        package init() {}
    }

    let options: Options
    let store: ClusterStore
    let authorization: Authorization
    let webhooks: AdmissionWebhooks
    let signer: CertificateSigner
    /// Issues the server's certificate, those of clients, and those of approved requests.
    package let authority: HarnessAuthority
    let tokens = Mutex<[String: Caller]>([:])
    let journal = Mutex(Journal())
    private let identity: HarnessAuthority.Identity
    private let listener = Mutex<Listener?>(nil)
    private let boundPort = Mutex<Int>(0)

    struct Journal {
        var requests: [ClusterRequest] = []
        var faults: [(fault: ClusterFault, left: Int, matches: @Sendable (ClusterRequest) -> Bool)] = []
    }

    private struct Listener {
        let task: Task<Void, any Error>
        let channels: OpenChannels
    }

    /// A double that does not listen yet.
    package init(_ options: Options = Options()) throws {
        self.options = options
        store = ClusterStore(maximumByteCount: options.maximumObjectByteCount)
        authority = try HarnessAuthority("carnet-tests-kubernetes")
        identity = try authority.server("kube-apiserver", names: ["IP:127.0.0.1", "DNS:localhost"])
        authorization = Authorization(store: store)
        webhooks = AdmissionWebhooks(store)
        signer = CertificateSigner(
            authority: authority, version: options.version, maximumLife: options.maximumLife)
        for (user, token) in ClusterUser.cast {
            learn(token, Caller(name: user.name, groups: user.groups + ["system:authenticated"]))
        }
        for namespace in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            install(.namespaces, ["metadata": ["name": .string(namespace)], "status": ["phase": "Active"]])
        }
        for (kind, object) in Authorization.firstObjects { install(kind, object) }
    }

    deinit { listener.withLock { $0?.task.cancel() } }

    private func install(_ kind: ResourceKind, _ object: HarnessJSON) {
        var object = object
        stamp(kind, &object)
        _ = store.create(kind, ObjectKey(namespace: "", name: object["metadata", "name"]?.string ?? ""), object)
    }

    /// Gives a new object what the server gives it.
    func stamp(_ kind: ResourceKind, _ object: inout HarnessJSON) {
        object["metadata", "uid"] = .string(UUID().uuidString.lowercased())
        object["metadata", "creationTimestamp"] = .string(time)
        object["metadata", "generation"] = kind.countsGenerations ? 1 : nil
        object["metadata", "deletionTimestamp"] = nil
        object["metadata", "selfLink"] = nil
        object["metadata", "managedFields"] = nil
    }

    /// Makes a token known.
    func learn(_ token: String, _ caller: Caller) { tokens.withLock { $0[token] = caller } }

    // MARK: Listening

    /// Where it listens; 0 before it did.
    package var port: Int { boundPort.withLock(\.self) }

    /// Begins to listen: on a free port, or on the one that it had before.
    package func start() async throws {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8)).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem)))
        tls.certificateVerification = .optionalVerification
        tls.trustRoots = .certificates([])
        let channels = OpenChannels()
        let (ports, announce) = AsyncStream<Int>.makeStream()
        // Whoever shows a certificate is judged at each request, so that a bad one is answered and not cut off.
        let configuration = TLSChannelConfiguration(
            tlsConfiguration: tls, customVerificationCallback: { _, promise in promise.succeed(.certificateVerified) })
        let application = Application(
            responder: CallbackResponder { (request: Request, context: ClusterContext) in
                channels.note(context.channel)
                return await self.respond(request, context)
            },
            server: try .tls(.http1(), configuration: configuration),
            configuration: ApplicationConfiguration(
                address: .hostname("127.0.0.1", port: port), serverName: nil, backlog: 1024),
            onServerRunning: { channel in
                announce.yield(channel.localAddress?.port ?? 0)
                announce.finish()
            }, logger: Logger(label: "cluster") { _ in SwiftLogNoOpLogHandler() })
        let task = Task.detached {
            defer { announce.finish() }
            try await application.run()
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await task.value
            throw CancellationError()
        }
        boundPort.withLock { $0 = port }
        listener.withLock { $0 = Listener(task: task, channels: channels) }
    }

    /// Stops listening and cuts off whoever is connected, as an API server that dies. What it knows stays; ``start()`` brings it back.
    package func stop() async {
        let stopped = listener.withLock { listener in
            defer { listener = nil }
            return listener
        }
        guard let stopped else { return }
        stopped.task.cancel()
        stopped.channels.closeAll()
        store.endWatches()
        _ = try? await stopped.task.value
        await webhooks.shutdown()
    }

    /// The time as objects tell it.
    var time: String { RFC3339.format(options.now()) }
}
