import AsyncHTTPClient
package import Fixtures
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// A real Kubernetes API: etcd, kube-apiserver and kube-controller-manager of Debian's source package, built by `Tests/Kubernetes/build.sh`.
///
/// The programs listen on free ports of loopback, keep all they have in a temporary folder, and end with the test process, however that
/// ends. Of the controllers only those run that tests need: the signer of approved requests, service accounts, and the removal of
/// namespaces; there is no approver, no scheduler and no kubelet.
package final class RealCluster: Sendable {
    /// The port of the API on 127.0.0.1.
    package let port: Int
    /// Issues the server's certificate, those of clients, and those of approved requests.
    package let authority: HarnessAuthority
    private let folder: String
    private let storePort: Int
    private let peerPort: Int
    private let maximumLife: Int
    private let serverFlags: [String]
    private let running = Mutex<[String: Program.Running]>([:])

    /// What the programs did not do.
    package struct Failure: Error, CustomStringConvertible {
        let text: String
        package var description: String { "Kubernetes: \(text)" }
    }

    private static func program(_ name: String) throws -> Program {
        let path = Repository.path(".build-kubernetes/bin/\(name)")
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Failure(text: "\(name) is not built. `make test-kubernetes` builds it, once, in some fifteen minutes")
        }
        return Program(path: path)
    }

    /// kubectl of the same release.
    ///
    /// - Throws: ``Failure`` when it is not built.
    package static func kubectl() throws -> Program { try program("kubectl") }

    /// Starts a cluster and waits until it answers.
    ///
    /// - Parameter serverFlags: What the API server is told beside what tests need.
    package static func start(maximumLife: Int = 86_400, serverFlags: [String] = []) async throws -> RealCluster {
        let cluster = try RealCluster(maximumLife, serverFlags)
        try cluster.run("etcd", cluster.storeArguments)
        try cluster.run("kube-apiserver", cluster.serverArguments)
        try await cluster.waitUntilReady()
        try cluster.run("kube-controller-manager", cluster.controllerArguments)
        return cluster
    }

    private init(_ maximumLife: Int, _ serverFlags: [String]) throws {
        for name in ["etcd", "kube-apiserver", "kube-controller-manager"] { _ = try Self.program(name) }
        self.maximumLife = maximumLife
        self.serverFlags = serverFlags
        folder = try TemporaryFolder.make("kubernetes")
        (port, storePort, peerPort) = (try FreePort.take(), try FreePort.take(), try FreePort.take())
        authority = try HarnessAuthority("carnet-tests-kubernetes")
        let server = try authority.server("kube-apiserver", names: ["IP:127.0.0.1", "DNS:localhost"])
        let accounts = try HarnessAuthority("service-accounts")
        let controller = try authority.client("system:kube-controller-manager", groups: ["system:masters"])
        try write("authority.pem", authority.certificate)
        try write("authority.key", authority.privateKey)
        try write("server.pem", server.certificate)
        try write("server.key", server.key)
        try write("accounts.pem", accounts.certificate)
        try write("accounts.key", accounts.privateKey)
        try write("controller.pem", controller.certificate)
        try write("controller.key", controller.key)
        try write(
            "tokens.csv",
            ClusterUser.cast.map { user, token in
                "\(token),\(user.name),\(user.name),\"\(user.groups.joined(separator: ","))\"\n"
            }.joined())
        let config: HarnessJSON = [
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [
                [
                    "name": "c",
                    "cluster": [
                        "server": .string("https://127.0.0.1:\(port)"),
                        "certificate-authority": .string(folder + "/authority.pem"),
                    ],
                ]
            ],
            "users": [
                [
                    "name": "c",
                    "user": [
                        "client-certificate": .string(folder + "/controller.pem"),
                        "client-key": .string(folder + "/controller.key"),
                    ],
                ]
            ],
            "contexts": [["name": "c", "context": ["cluster": "c", "user": "c"]]],
        ]
        try write("controller.kubeconfig", config.text)
    }

    private func write(_ name: String, _ text: String) throws {
        let path = folder + "/" + name
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    private var storeArguments: [String] {
        let client = "http://127.0.0.1:\(storePort)", peer = "http://127.0.0.1:\(peerPort)"
        return [
            "--name=default", "--data-dir=\(folder)/etcd", "--listen-client-urls=\(client)",
            "--advertise-client-urls=\(client)", "--listen-peer-urls=\(peer)", "--initial-advertise-peer-urls=\(peer)",
            "--initial-cluster=default=\(peer)", "--log-level=warn",
        ]
    }

    private var serverArguments: [String] {
        [
            "--etcd-servers=http://127.0.0.1:\(storePort)", "--bind-address=127.0.0.1", "--secure-port=\(port)",
            "--advertise-address=127.0.0.1", "--tls-cert-file=\(folder)/server.pem",
            "--tls-private-key-file=\(folder)/server.key", "--client-ca-file=\(folder)/authority.pem",
            "--token-auth-file=\(folder)/tokens.csv", "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction", "--service-account-issuer=https://kubernetes.default.svc",
            "--service-account-key-file=\(folder)/accounts.pem",
            "--service-account-signing-key-file=\(folder)/accounts.key", "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none", "--cert-dir=\(folder)/certificates",
        ] + serverFlags
    }

    private var controllerArguments: [String] {
        [
            "--kubeconfig=\(folder)/controller.kubeconfig", "--controllers=csrsigning,namespace,serviceaccount",
            "--leader-elect=false", "--port=0", "--secure-port=0",
            "--cluster-signing-cert-file=\(folder)/authority.pem",
            "--cluster-signing-key-file=\(folder)/authority.key",
            "--cluster-signing-duration=\(maximumLife)s", "--namespace-sync-period=1m",
        ]
    }

    private func run(_ name: String, _ arguments: [String]) throws {
        let process = try Self.program(name).startBound(arguments, log: folder + "/\(name).log")
        running.withLock { $0[name] = process }
    }

    private func waitUntilReady() async throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(folder + "/authority.pem")
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: .init(tlsConfiguration: configuration))
        var request = HTTPClientRequest(url: "https://127.0.0.1:\(port)/readyz")
        request.headers.add(name: "Authorization", value: "Bearer " + ClusterUser.cast[0].token)
        let isReady = try await eventually {
            (try? await client.execute(request, timeout: .seconds(5)))?.status == .ok
        }
        try await client.shutdown()
        guard isReady else { throw Failure(text: "it did not start\n" + log("kube-apiserver") + log("etcd")) }
    }

    private func log(_ name: String) -> String {
        let text = (try? String(contentsOfFile: folder + "/\(name).log", encoding: .utf8)) ?? ""
        return "\(name):\n" + text.split(separator: "\n").suffix(25).joined(separator: "\n") + "\n"
    }

    /// Kills the API server; its store stays.
    func pause() async { end("kube-apiserver") { $0.kill() } }

    /// Starts the API server again, on the same port.
    func resume() async throws {
        try run("kube-apiserver", serverArguments)
        try await waitUntilReady()
    }

    /// Ends all of it.
    func stop() async {
        for name in ["kube-controller-manager", "kube-apiserver", "etcd"] { end(name) { $0.kill() } }
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func end(_ name: String, _ how: (Program.Running) -> Void) {
        let process = running.withLock { $0.removeValue(forKey: name) }
        process.map(how)
    }
}
