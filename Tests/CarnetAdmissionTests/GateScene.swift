import CarnetAdmission
import CarnetRelyingService
import CarnetResult
import CarnetService
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import HTTPTypes
import KubernetesAPI
import KubernetesHarness
import Logging
import NodeAdmission
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness
import Yams

/// A cluster with the gate's account and permissions as the manifests give them, a forge in the verifier's place, and a clock for all.
final class GateScene: Sendable {
    static let issuer = "https://verifier.example"
    static let audience = "https://cluster-a.example"
    static let list = issuer + "/status-lists/1-0"
    static let account = ClusterUser.serviceAccount("carnet", "carnet-admission")
    static let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    static let nodes = "/api/v1/nodes"

    let cluster: TestCluster
    let forge: TokenForge
    let clock: SettableClock
    let folder: TemporaryDirectory
    let log = LogLines()
    private let root: SigningKey

    /// A cluster for as long as `body` runs.
    static func with(_ body: @Sendable (GateScene) async throws -> Void) async throws {
        let clock = SettableClock(nil)
        var options = ClusterDouble.Options()
        options.now = { clock.now }
        try await TestCluster.with(options) { cluster in try await body(try await GateScene(cluster, clock)) }
    }

    /// The same with what only a double can do.
    ///
    /// - Parameter objectByteCount: The largest object that is stored, where it is not the usual one.
    static func withDouble(
        objectByteCount: Int? = nil, _ body: @Sendable (GateScene, ClusterDouble) async throws -> Void
    ) async throws {
        let clock = SettableClock(nil)
        var options = ClusterDouble.Options()
        if let objectByteCount { options.maximumObjectByteCount = objectByteCount }
        options.now = { clock.now }
        let (cluster, double) = try await TestCluster.startDouble(options)
        do {
            try await body(try await GateScene(cluster, clock), double)
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }

    private init(_ cluster: TestCluster, _ clock: SettableClock) async throws {
        self.cluster = cluster
        self.clock = clock
        forge = try TokenForge()
        root = try SigningKey(PrivateKey.generate())
        folder = try TemporaryDirectory()
        try publish()
        let answer = try await cluster.call(.post, "/api/v1/namespaces", ["metadata": ["name": "carnet"]])
        #expect(answer.status == 201, "\(answer.text)")
        let manifest = try Repository.text("Docs/Deploy/Kubernetes/admission/rbac.yaml")
        for document in try Yams.load_all(yaml: manifest) {
            let object = try HarnessJSON(document)
            guard let kind = object["kind"]?.string else { continue }
            let namespace = object["metadata"]?["namespace"]?.string.map { "namespaces/\($0)/" } ?? ""
            let path = "/apis/rbac.authorization.k8s.io/v1/\(namespace)\(kind.lowercased())s"
            let made = try await cluster.call(.post, path, object)
            #expect(made.status == 201, "\(kind): \(made.text)")
        }
    }

    /// What the verifier publishes from now on: its keys, and a status list in which these indices have a status.
    func publish(_ statuses: [Int: TokenStatus] = [:]) throws {
        let now = clock.now
        let list = try forge.statusList(
            Self.list, issuedAt: now, expiresAt: now + 864_000, timeToLive: 86_400, statuses)
        let issuer = BundledIssuer(
            name: Self.issuer, currentKeys: try JSONWebKeySet(parsing: forge.keySet), statusLists: [list])
        let content = BundleContent(issuedAt: now, expiresAt: now + 864_000, grace: 86_400, issuers: [issuer])
        // Each bundle continues the last, as whoever follows them demands.
        let last = try? Data(contentsOf: URL(filePath: bundleFile))
        let bundle = try last.map { try root.sign(content, following: UnverifiedBundle(parsing: Array($0))) }
        try Data(try bundle ?? root.sign(content, named: "test")).write(
            to: URL(filePath: bundleFile), options: .atomic)
    }

    private var bundleFile: String { folder.path + "/bundle.jws" }

    /// How a replica is run: a lease of three seconds, and status lists that last.
    func configuration(
        _ identity: String, _ change: (inout AdmissionConfiguration) throws -> Void = { _ in }
    ) async throws -> AdmissionConfiguration {
        let tokenFile = folder.path + "/token"
        if !FileManager.default.fileExists(atPath: tokenFile) {
            try Data(try await cluster.token(for: Self.account).utf8).write(to: URL(filePath: tokenFile))
        }
        let server = try ClusterConfiguration(
            server: cluster.url, authority: .file(cluster.authorityFile), credential: .tokenFile(tokenFile))
        let clock = clock
        var configuration = AdmissionConfiguration(
            cluster: server, identity: identity, address: try #require(ListenAddress("127.0.0.1:0")),
            security: .plainHTTP, audience: Self.audience,
            trust: .bundle(file: bundleFile, root: root.keyID, issuer: nil), now: { clock.now },
            logger: log.logger(.trace))
        configuration.leaseDuration = .seconds(3)
        configuration.maximumStatusAge = 86_400
        // The real server of the tests is older than 1.22, and knows no life that is asked for.
        configuration.rules.allowsUnboundedLife = TestCluster.isReal
        configuration.tick = .milliseconds(50)
        configuration.bundleInterval = .milliseconds(200)
        configuration.serviceLimits.clientRate = .none
        try change(&configuration)
        return configuration
    }

    /// Runs a replica while `body` does.
    func gate(
        _ identity: String = "one", _ change: (inout AdmissionConfiguration) throws -> Void = { _ in },
        _ body: @Sendable (ServiceClient) async throws -> Void
    ) async throws {
        let configuration = try await configuration(identity, change)
        try await RunningService.with(
            { onListening in try AdmissionGate(configuration, onListening: onListening) }, body)
    }

    // MARK: Passports and requests

    /// A passport of the machine that is a node; every fault is said by name.
    func passport(
        _ node: String, audience: String = GateScene.audience, age: Int64 = 0, lifetime: Int64 = 300,
        status: TrustTier = .affirming, index: Int = 1
    ) throws -> [UInt8] {
        try forge.signingKey.mint(
            forge.result(
                issuer: Self.issuer, audience: [audience], issuedAt: clock.now - age, lifetime: lifetime,
                status: status, protection: .software,
                statusReference: StatusReference(uri: Self.list, index: index),
                nodeLabels: [NodeNames.defaultLabel: node]))
    }

    /// The text of a request.
    func text(
        _ node: String, showing passport: [UInt8]?, by key: PrivateKey? = nil,
        organizations: [String] = ["system:nodes"], names: CertificateRequest.AlternativeNames = .init()
    ) throws -> String {
        let subject = organizations.map { CertificateRequest.NameAttribute.organization($0) }
        let request = try CertificateRequest(
            subject: subject + [.commonName("system:node:" + node)], alternativeNames: names,
            extensions: passport.map { [PassportCarrier.certificateExtension(carrying: $0)] } ?? [],
            signedBy: key ?? forge.holderKey)
        return PEM.Block(label: PassportCarrier.requestLabel, content: request.der).text
            + (passport.map { PassportCarrier.block(carrying: $0).text } ?? "")
    }

    /// Asks for a certificate.
    @discardableResult
    func ask(
        _ name: String, _ text: String, by user: ClusterUser = .bootstrap,
        signer: NodeCertificateRequest.Signer = .apiServerClientKubelet, life: Int64? = 3600
    ) async throws -> ClusterAnswer {
        var spec: HarnessJSON = [
            "signerName": .string(signer.rawValue), "request": .string(Data(text.utf8).base64EncodedString()),
            // Older signers want the third usage too.
            "usages": [
                "digital signature", "key encipherment", signer == .kubeletServing ? "server auth" : "client auth",
            ],
        ]
        spec["expirationSeconds"] = life.map { .integer($0) }
        return try await cluster.call(
            .post, Self.requests, ["metadata": ["name": .string(name)], "spec": spec], as: user)
    }

    /// What was said to a request: the condition's type and reason; empty while nothing was.
    func said(_ name: String) async throws -> String {
        let request = try await cluster.call(.get, Self.requests + "/" + name).json
        return (request["status"]?["conditions"]?.elements ?? []).map {
            "\($0["type"]?.string ?? "") \($0["reason"]?.string ?? "")"
        }.joined(separator: ", ")
    }

    /// Whether it comes to be said.
    func comes(_ name: String, _ words: String) async throws -> Bool {
        try await eventually { try await said(name) == words }
    }

    static let approved = "Approved NodeAttested"

    // MARK: Nodes

    /// Makes a node as it was before there was a gate: attested once, unless said otherwise.
    func makeNode(
        _ name: String, passport: [UInt8]? = nil, label: Bool = true, taints: [HarnessJSON] = []
    ) async throws {
        var metadata: HarnessJSON = ["name": .string(name), "labels": ["zone": "a"]]
        if label { metadata["labels"]?[NodeMark.label] = "true" }
        if let passport {
            metadata["annotations"] = [NodeMark.passport: .string(String(decoding: passport, as: UTF8.self))]
        }
        let made = try await cluster.call(
            .post, Self.nodes, ["metadata": metadata, "spec": ["taints": .array(taints)]])
        #expect(made.status == 201, "\(made.text)")
        let status = try await cluster.call(
            .patch, Self.nodes + "/\(name)/status",
            ["status": ["conditions": [["type": "Ready", "status": "True", "reason": "KubeletReady"]]]])
        #expect(status.status == 200, "\(status.text)")
    }

    /// A node shows a passport, as its kubelet's credential lets it.
    func show(_ passport: [UInt8], on node: String) async throws {
        let answer = try await cluster.call(
            .patch, Self.nodes + "/" + node,
            ["metadata": ["annotations": [NodeMark.passport: .string(String(decoding: passport, as: UTF8.self))]]],
            as: .node(node))
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// The gate's marks in a line: effects with their values, the label, the condition.
    func marks(_ node: String) async throws -> String {
        let object = try await cluster.call(.get, Self.nodes + "/" + node).json
        let taints = (object["spec"]?["taints"]?.elements ?? []).filter { $0["key"]?.string == NodeMark.taint }
            .map { "\($0["effect"]?.string ?? "")=\($0["value"]?.string ?? "")" }.sorted()
        let label = object["metadata"]?["labels"]?[NodeMark.label] == nil ? [] : ["label"]
        let condition = (object["status"]?["conditions"]?.elements ?? [])
            .filter { $0["type"]?.string == NodeMark.condition }
            .map { "\($0["status"]?.string ?? ""):\($0["reason"]?.string ?? "")" }
        return (taints + label + condition).joined(separator: " ")
    }

    /// Whether a node comes to have such marks.
    func becomes(_ node: String, _ expected: String) async throws -> Bool {
        try await eventually { try await marks(node) == expected }
    }

    static let good = "label True:Attested"
}

extension HarnessJSON {
    /// What Yams read.
    fileprivate init(_ value: Any?) throws {
        switch value {
        case let value as Bool: self = .boolean(value)
        case let value as Int: self = .integer(Int64(value))
        case let value as String: self = .string(value)
        case let value as [Any]: self = .array(try value.map { try HarnessJSON($0) })
        case let value as [AnyHashable: Any]:
            var members: [String: HarnessJSON] = [:]
            for (key, value) in value { members["\(key)"] = try HarnessJSON(value) }
            self = .object(members)
        default: self = .null
        }
    }
}
