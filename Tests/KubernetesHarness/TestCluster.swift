import AsyncHTTPClient
import Fixtures
import Foundation
import HTTPTypes
import NIOCore
import NIOSSL
import Synchronization

/// The Kubernetes API that tests run against: a ``ClusterDouble`` in this process, or the real server where `CARNET_TEST_KUBERNETES` says
/// `real` (`make test-kubernetes`). What is asked of it here is the same on both.
///
/// Suites share one cluster (``shared()``) as long as they keep to names of their own; whoever installs a webhook, counts all nodes or stops
/// the server starts another.
package final class TestCluster: Sendable {
    /// What answers.
    package enum Server: Sendable {
        case double(ClusterDouble)
        case real(RealCluster)
    }

    /// What answers.
    package let server: Server
    /// Where files of this cluster are: kubeconfigs, certificates. It goes with the test process.
    package let folder: String
    /// The certificate that clients trust, PEM.
    package let authorityFile: String
    private let clients = Mutex<[String: HTTPClient]>([:])
    private let known = Mutex(Known())

    private struct Known {
        var tokens: [ClusterUser: String] = [:]
        var identities: [ClusterUser: HarnessAuthority.Identity] = [:]
        var namespaceCount = 0
    }

    /// Whether tests run against the real server.
    package static var isReal: Bool { ProcessInfo.processInfo.environment["CARNET_TEST_KUBERNETES"] == "real" }

    /// Starts a cluster of its own. Call ``stop()`` when it is no longer needed; it ends with the test process at the latest.
    ///
    /// - Parameter options: How a double behaves; a real server takes `maximumLife` from it and nothing else.
    /// - Throws: ``RealCluster/Failure`` when the real server is asked for and not there, or does not start.
    package static func start(_ options: ClusterDouble.Options = ClusterDouble.Options()) async throws -> TestCluster {
        let cluster: TestCluster
        if isReal {
            cluster = try TestCluster(.real(try await RealCluster.start(maximumLife: options.maximumLife)))
        } else {
            let double = try ClusterDouble(options)
            try await double.start()
            cluster = try TestCluster(.double(double))
        }
        try await cluster.allowBootstrapping()
        return cluster
    }

    /// Starts a real server for as long as `body` runs, whatever the environment says: for tests of what only a real one can do.
    ///
    /// - Parameter serverFlags: What the API server is told beside what tests need.
    /// - Throws: ``RealCluster/Failure`` when the server is not built, or does not start.
    package static func withReal(
        serverFlags: [String], _ body: @Sendable (TestCluster) async throws -> Void
    ) async throws {
        let cluster = try TestCluster(.real(try await RealCluster.start(serverFlags: serverFlags)))
        do {
            try await body(cluster)
            await cluster.stop()
        } catch {
            await cluster.stop()
            throw error
        }
    }

    /// Starts a double, whatever the environment says: for tests of what only a double can do.
    package static func startDouble(
        _ options: ClusterDouble.Options = ClusterDouble.Options()
    ) async throws -> (cluster: TestCluster, double: ClusterDouble) {
        let double = try ClusterDouble(options)
        try await double.start()
        let cluster = try TestCluster(.double(double))
        try await cluster.allowBootstrapping()
        return (cluster, double)
    }

    /// Starts a cluster for as long as `body` runs.
    package static func with<Value: Sendable>(
        _ options: ClusterDouble.Options = ClusterDouble.Options(),
        _ body: @Sendable (TestCluster) async throws -> Value
    ) async throws -> Value {
        let cluster = try await start(options)
        do {
            let value = try await body(cluster)
            await cluster.stop()
            return value
        } catch {
            await cluster.stop()
            throw error
        }
    }

    /// The cluster that suites share.
    package static func shared() async throws -> TestCluster { try await common.value }

    private static let common = Task.detached { try await TestCluster.start() }

    init(_ server: Server) throws {
        self.server = server
        folder = try TemporaryFolder.make("cluster")
        authorityFile = folder + "/authority.pem"
        let authority =
            switch server {
            case .double(let double): double.authority
            case .real(let real): real.authority
            }
        try authority.certificate.write(toFile: authorityFile, atomically: true, encoding: .utf8)
    }

    deinit { for client in clients.withLock({ Array($0.values) }) { client.shutdown { _ in } } }

    /// The double, unless the server is real.
    package var double: ClusterDouble? { if case .double(let double) = server { double } else { nil } }

    /// The authority of the server's and the clients' certificates.
    package var authority: HarnessAuthority {
        switch server {
        case .double(let double): double.authority
        case .real(let real): real.authority
        }
    }

    /// Where the API is, without a slash at its end.
    package var url: String {
        switch server {
        case .double(let double): "https://127.0.0.1:\(double.port)"
        case .real(let real): "https://127.0.0.1:\(real.port)"
        }
    }

    /// The API is gone: connections are cut off and none is taken. ``resume()`` brings it back on the same port, with all it knew.
    package func pause() async {
        switch server {
        case .double(let double): await double.stop()
        case .real(let real): await real.pause()
        }
    }

    /// The API is back.
    package func resume() async throws {
        switch server {
        case .double(let double): try await double.start()
        case .real(let real): try await real.resume()
        }
    }

    /// Watches can no longer begin before now: they are told 410. A real server forgets when it starts anew.
    package func forgetThePast() async throws {
        switch server {
        case .double(let double): double.compact()
        case .real(let real):
            await real.pause()
            try await real.resume()
        }
    }

    /// Ends the cluster.
    package func stop() async {
        // The server first: a client waits for the connection of a watch that nobody read to its end.
        switch server {
        case .double(let double): await double.stop()
        case .real(let real): await real.stop()
        }
        let ended = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in ended { try? await client.shutdown() }
    }

    /// What every cluster for machines that join has: holders of bootstrap tokens may send requests.
    private func allowBootstrapping() async throws {
        let answer = try await call(
            .post, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            [
                "metadata": ["name": "kubeadm:kubelet-bootstrap"],
                "subjects": [
                    ["kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:bootstrappers"]
                ],
                "roleRef": [
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-bootstrapper",
                ],
            ])
        guard answer.status == 201 else { throw RealCluster.Failure(text: answer.text) }
    }

    /// Makes a namespace that nobody else uses, and returns its name.
    package func namespace(_ stem: String = "test") async throws -> String {
        let number = known.withLock { known in
            known.namespaceCount += 1
            return known.namespaceCount
        }
        let name = "\(stem)-\(number)-\(UUID().uuidString.prefix(6).lowercased())"
        let answer = try await call(.post, "/api/v1/namespaces", ["metadata": ["name": .string(name)]])
        guard answer.status == 201 else { throw RealCluster.Failure(text: answer.text) }
        return name
    }

    // MARK: Users

    /// A bearer token of a user; a service account that is not there is made.
    ///
    /// - Throws: ``RealCluster/Failure`` for users who have a certificate instead, or nothing.
    package func token(for user: ClusterUser) async throws -> String {
        switch user.proof {
        case .bearer(let token): return token
        case .token:
            guard let known = ClusterUser.cast.first(where: { $0.user == user }) else { break }
            return known.token
        case .serviceAccount(let namespace, let name):
            if let token = known.withLock({ $0.tokens[user] }) { return token }
            let path = "/api/v1/namespaces/\(namespace)/serviceaccounts"
            _ = try await call(.post, path, ["metadata": ["name": .string(name)]])
            let answer = try await call(
                .post, path + "/\(name)/token",
                [
                    "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                    "spec": ["expirationSeconds": 86_400],
                ])
            guard let token = try answer.json["status"]?["token"]?.string else {
                throw RealCluster.Failure(text: answer.text)
            }
            known.withLock { $0.tokens[user] = token }
            return token
        case .certificate, .none: break
        }
        throw RealCluster.Failure(text: "\(user.name) has no token")
    }

    /// A client certificate of a user.
    package func identity(for user: ClusterUser) throws -> HarnessAuthority.Identity {
        if let identity = known.withLock({ $0.identities[user] }) { return identity }
        let made = try authority.client(user.name, groups: user.groups)
        known.withLock { $0.identities[user] = made }
        return made
    }

    /// Writes a kubeconfig with a user's credential in it, and returns its path.
    package func kubeconfig(for user: ClusterUser) async throws -> String {
        var entry: HarnessJSON = [:]
        switch user.proof {
        case .certificate:
            let identity = try identity(for: user)
            entry["client-certificate-data"] = .string(Data(identity.certificate.utf8).base64EncodedString())
            entry["client-key-data"] = .string(Data(identity.key.utf8).base64EncodedString())
        case .none: break
        default: entry["token"] = .string(try await token(for: user))
        }
        let authority = Data(authority.certificate.utf8).base64EncodedString()
        let file: HarnessJSON = [
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [
                [
                    "name": "test",
                    "cluster": ["server": .string(url), "certificate-authority-data": .string(authority)],
                ]
            ],
            "users": [["name": "test", "user": entry]],
            "contexts": [["name": "test", "context": ["cluster": "test", "user": "test"]]],
        ]
        // JSON is YAML.
        let path = folder + "/kubeconfig-" + UUID().uuidString.prefix(8)
        try Data(file.bytes).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    /// A client for a user: one for all who have tokens, one for each who has a certificate.
    func client(for user: ClusterUser) throws -> HTTPClient {
        let identity: HarnessAuthority.Identity? =
            if case .certificate = user.proof { try self.identity(for: user) } else { nil }
        let key = identity == nil ? "" : user.name + "\n" + user.groups.joined(separator: "\n")
        return try clients.withLock { clients in
            if let client = clients[key] { return client }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(
                try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8)))
            if let identity {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8))
                    .map { .certificate($0) }
                configuration.privateKey = .privateKey(
                    try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem))
            }
            var options = HTTPClient.Configuration(tlsConfiguration: configuration)
            // Each watch has a connection of its own where the server speaks HTTP/1.
            options.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: options)
            clients[key] = client
            return client
        }
    }
}
