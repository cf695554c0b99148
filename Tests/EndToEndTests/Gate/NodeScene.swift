import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import MeasurementLogs
import NodeAdmission
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// A machine with a software TPM that is to be node-17, its verifier, and a cluster. `carnet-agent` runs as a program.
struct NodeScene: Sendable {
    static let node = "node-17", audience = "https://cluster-a.example"
    let tpm: SoftwareTPM, folder: TemporaryDirectory, client: ServiceClient, cluster: TestCluster
    private let office: Office, log: String

    /// The machine is enrolled, and labelled unless that is to be forgotten.
    static func with(
        certificateLife: Int64? = nil, label: String? = node, _ body: @Sendable (NodeScene) async throws -> Void
    ) async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory()
        try tpm.measure(GoodBoot.log())
        let log = try folder.write(GoodBoot.log().bytes, "event-log.bin")
        let policy = try GoodBoot.policy(for: GoodBoot.log()) + "discloses: [kubernetes-node]\n"
        let office = try Office(trusting: tpm, policy: policy, alsoFor: [audience])
        var options = ClusterDouble.Options()
        if let certificateLife { options.maximumLife = Int(certificateLife) }
        try await TestCluster.with(options) { cluster in
            try await office.verifier.run { client in
                let scene = NodeScene(
                    tpm: tpm, folder: folder, client: client, cluster: cluster, office: office, log: log)
                let enrolled = try await scene.agent(["enrol", "--name", "machine-1"])
                #expect(enrolled.status == 0, "\(enrolled.errors)")
                if let label { try await scene.label(label) }
                try await body(scene)
            }
        }
    }

    /// The machine runs a boot loader that the policy does not know, and its log says so.
    func tamper() throws {
        let bad = GoodBoot.tamperedLog()
        try tpm.measure(bad, from: GoodBoot.log().measurements.count)
        _ = try folder.write(bad.bytes, "event-log.bin")
    }

    /// The machine starts anew, as the policy wants it.
    func restart() throws {
        try tpm.reboot()
        try tpm.measure(GoodBoot.log())
        _ = try folder.write(GoodBoot.log().bytes, "event-log.bin")
    }

    /// What the operator says which node the machine is.
    func label(_ name: String) async throws {
        let nodes = try await client.call(.get, "/admin/v1/nodes", token: office.verifier.administrator).json["nodes"]
        let id = try #require(nodes?.elements?.first?["id"]?.string)
        let answer = try await client.call(
            .put, "/admin/v1/nodes/\(id)/labels", token: office.verifier.administrator, type: "application/json",
            body: Array(#"{"kubernetes-node":"\#(name)"}"#.utf8))
        #expect(answer.status == 200, "\(answer.text)")
    }

    private var place: [String] {
        [
            "--tcti", tpm.tcti, "--state", folder.path + "/state", "--verifier", "http://127.0.0.1:\(client.port)",
            "--plain-http", "--event-log", log, "--no-runtime-log", "--no-ima-list",
        ]
    }

    /// Runs the agent with words and all that says where the machine and its verifier are.
    func agent(_ words: [String], environment: [String: String] = [:]) async throws -> Program.Ending {
        try await Program("carnet-agent").run(words + place, environment: environment)
    }

    var credentialFile: String { folder.path + "/pki/client.pem" }
    var kubeconfig: String { folder.path + "/kubelet.conf" }

    private func kubelet(_ words: [String]) -> [String] {
        [
            "kubelet", "--node", Self.node, "--audience", Self.audience, "--kubeconfig", kubeconfig,
            "--certificate-file", credentialFile,
        ] + (TestCluster.isReal ? ["--key-encipherment"] : []) + words
    }

    /// Runs the command once.
    func once(_ words: [String] = [], bootstrap: Bool = true) async throws -> Program.Ending {
        let token = bootstrap ? ["--bootstrap-kubeconfig", try await cluster.kubeconfig(for: .bootstrap)] : []
        return try await agent(kubelet(["--once"] + token + words))
    }

    /// Starts the command, and lets it run.
    func start(_ words: [String] = []) async throws -> Program.Running {
        let token = ["--bootstrap-kubeconfig", try await cluster.kubeconfig(for: .bootstrap), "--watch-seconds", "1"]
        return try Program("carnet-agent").start(kubelet(token + words) + place, log: folder.path + "/log")
    }

    /// What the command that was started has said.
    var said: String { (try? folder.read("log")).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// The verifier of passports that a gate of this cluster has.
    func verifier() async throws -> PassportVerifier {
        try await PassportVerifier(
            keySet: client.call(.get, "/.well-known/jwks.json").body,
            expectations: AdmissionRules.expectations(issuer: VerifierUnderTest.issuer, audience: Self.audience)
        ).checking(client.statusLists())
    }

    // MARK: The cluster

    static let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    static let nodePath = "/api/v1/nodes/" + node

    func requests() async throws -> [HarnessJSON] {
        try await cluster.call(.get, Self.requests).json["items"]?.elements ?? []
    }

    /// Sends what a stock kubelet with the bootstrap token would: a request without a passport. Returns its name.
    func bareRequest() async throws -> String {
        let request = try CertificateRequest(
            subject: [.organization("system:nodes"), .commonName("system:node:" + Self.node)], signedBy: .generate())
        let text = PEM.Block(label: "CERTIFICATE REQUEST", content: request.der).text
        let answer = try await cluster.call(
            .post, Self.requests,
            [
                "metadata": ["name": "csr-bare"],
                "spec": [
                    "request": .string(Base64.encode(Array(text.utf8))),
                    "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
                    "usages": ["digital signature", "client auth"], "expirationSeconds": 3600,
                ],
            ], as: .bootstrap)
        #expect(answer.status == 201, "\(answer.text)")
        return "csr-bare"
    }

    /// The reason with which a request was denied; `nil` for one that was not.
    func denial(of name: String) async throws -> String? {
        let object = try await cluster.call(.get, Self.requests + "/" + name).json
        return object["status"]?["conditions"]?.elements.first { $0["type"]?.string == "Denied" }?["reason"]?.string
    }

    /// The Node, as a kubelet with its certificate makes it.
    func join() async throws {
        let answer = try await cluster.call(
            .post, "/api/v1/nodes", ["metadata": ["name": .string(Self.node)]], as: .node(Self.node))
        #expect(answer.status == 201, "\(answer.text)")
    }

    /// The passport that the Node shows.
    func shown() async throws -> String? {
        try await cluster.call(.get, Self.nodePath).json["metadata"]?["annotations"]?["carnet.dev/passport"]?.string
    }

    /// How the Node stands by the passport that it shows.
    func standing() async throws -> NodeStanding? {
        guard let token = try await shown() else { return nil }
        return AdmissionRules().standing(
            ofPassport: token, node: Self.node, by: try await verifier(), at: Office.now)
    }
}

/// Stands in for the gate's approver: decides by the same rules, one request after another.
struct StandInApprover: Sendable {
    let scene: NodeScene

    /// Decides about what comes while `body` runs.
    func run<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        let deciding = Task {
            while !Task.isCancelled {
                try? await decide()
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        let result: Result<Value, any Error>
        do {
            result = .success(try await body())
        } catch { result = .failure(error) }
        deciding.cancel()
        await deciding.value
        return try result.get()
    }

    private func decide() async throws {
        let verifier = try await scene.verifier()
        for object in try await scene.requests() where (object["status"]?["conditions"]?.elements ?? []).isEmpty {
            guard let spec = object["spec"], let name = object["metadata"]?["name"]?.string,
                let signer = spec["signerName"]?.string.flatMap(NodeCertificateRequest.Signer.init),
                let text = spec["request"]?.string.flatMap({ Base64.decode($0) })
            else { continue }
            let request = NodeCertificateRequest(
                name: name, signer: signer, request: text, usages: spec["usages"]?.strings ?? [],
                expirationSeconds: spec["expirationSeconds"]?.integer, username: spec["username"]?.string ?? "",
                groups: spec["groups"]?.strings ?? [])
            var rules = AdmissionRules()
            // Clusters before 1.22, such as the real one that tests build, drop the life that is asked for.
            rules.allowsUnboundedLife = true
            switch rules.decide(request, by: verifier, at: Office.now, known: try await known()) {
            case .admit: try await conclude(object, name, "Approved", "CarnetAttested", "It is what it should be.")
            case .deny(let denial): try await conclude(object, name, "Denied", denial.reason, denial.message)
            case .wait: continue
            }
        }
    }

    private func known() async throws -> KnownNode? {
        let answer = try await scene.cluster.call(.get, NodeScene.nodePath)
        guard answer.status == 200 else { return nil }
        let addresses = try answer.json["status"]?["addresses"]?.elements.compactMap { $0["address"]?.string }
        return KnownNode(addresses: addresses ?? [], addressesOfOthers: [])
    }

    private func conclude(
        _ object: HarnessJSON, _ name: String, _ type: String, _ reason: String, _ message: String
    ) async throws {
        var object = object
        object["status", "conditions"] = [
            ["type": .string(type), "status": "True", "reason": .string(reason), "message": .string(message)]
        ]
        let answer = try await scene.cluster.call(.put, NodeScene.requests + "/\(name)/approval", object)
        #expect(answer.status == 200 || answer.status == 409, "\(answer.text)")
    }
}
