import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import NodeAdmission
import ServiceHarness
import StrictEncoding

/// A cluster's gate as a program on a processor of its own, a double of the cluster's API in this process, and one forge as the verifier.
final class GateScene: Sendable {
    static let issuer = "https://verifier.example"
    static let audience = "https://cluster-a.example"
    private static let list = issuer + "/status-lists/1"
    let cluster: TestCluster
    let double: ClusterDouble
    let folder: String
    private let forge: TokenForge
    private let root: SigningKey

    init() async throws {
        (cluster, double) = try await TestCluster.startDouble()
        folder = try TemporaryFolder.make("gate")
        forge = try TokenForge()
        root = try SigningKey(PrivateKey.generate())
        let now = Self.now
        let list = try forge.statusList(
            Self.list, issuedAt: now, expiresAt: now + 86_400, timeToLive: 86_400, [:])
        let issuer = BundledIssuer(
            name: Self.issuer, currentKeys: try JSONWebKeySet(parsing: forge.keySet), statusLists: [list])
        let content = BundleContent(issuedAt: now, expiresAt: now + 86_400, grace: 86_400, issuers: [issuer])
        try Data(try root.sign(content, named: "bench")).write(to: URL(filePath: bundleFile))
    }

    static var now: Int64 { Int64(Date().timeIntervalSince1970) }

    var bundleFile: String { folder + "/bundle.jws" }
    var keySet: [UInt8] { forge.keySet }

    /// A passport of a node's machine, which ends at a time.
    func passport(_ node: String, until end: Int64? = nil) throws -> [UInt8] {
        let now = Self.now
        return try forge.signingKey.mint(
            forge.result(
                issuer: Self.issuer, audience: [Self.audience], issuedAt: now, lifetime: (end ?? now + 3000) - now,
                protection: .software, statusReference: StatusReference(uri: Self.list, index: 7),
                subject: "urn:carnet:node:" + node, nodeLabels: [NodeNames.defaultLabel: node]))
    }

    /// `spec.request` of a good request, PEM.
    func request(_ node: String) throws -> [UInt8] {
        let passport = try passport(node)
        let request = try CertificateRequest(
            subject: [.organization("system:nodes"), .commonName("system:node:" + node)],
            extensions: [PassportCarrier.certificateExtension(carrying: passport)], signedBy: forge.holderKey)
        return Array(PEM.Block(label: PassportCarrier.requestLabel, content: request.der).text.utf8)
    }

    /// A CertificateSigningRequest with it.
    func object(_ node: String) throws -> HarnessJSON {
        [
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": ["name": .string("carnet-" + node)],
            "spec": [
                "request": .string(Data(try request(node)).base64EncodedString()),
                "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
                "usages": ["digital signature", "client auth"], "expirationSeconds": 14_400,
            ],
        ]
    }

    /// The gate's program, until the value is gone.
    struct RunningGate {
        let program: Program.Running
        let client: ServiceClient
        var use: ProcessUse { ProcessUse(identifier: program.identifier) }
    }

    /// Starts the gate, and waits until it answers.
    func start(on processor: Int, gates: String, _ settings: [String] = []) async throws -> RunningGate {
        let addressFile = folder + "/address", log = folder + "/gate.log"
        try? FileManager.default.removeItem(atPath: addressFile)
        let namespace = try await cluster.namespace("gate")
        let program = try Program(path: "/usr/bin/taskset").start(
            [
                "-c", String(processor), Program("carnet-admission").path, "--kubeconfig",
                try await cluster.kubeconfig(for: .admin), "--namespace", namespace, "--gates", gates, "--listen",
                "127.0.0.1:0", "--plain-http", "--audience", Self.audience, "--bundle", bundleFile, "--bundle-root",
                root.keyID, "--client-rate", "0", "--drain-seconds", "0", "--address-file", addressFile, "--metrics",
            ] + settings, log: log)
        let client = ServiceClient(port: try await RunningVerifier.port(addressFile, orWhatWent: log))
        return RunningGate(program: program, client: client)
    }

    /// Waits until the double holds what is waited for.
    func wait(_ what: String, seconds: Int = 300, until isSo: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while try await !isSo() {
            guard ContinuousClock.now < end else {
                let log = (try? String(contentsOfFile: folder + "/gate.log", encoding: .utf8)) ?? ""
                throw Failure("\(what) did not come about in \(seconds) s:\n\(log.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
