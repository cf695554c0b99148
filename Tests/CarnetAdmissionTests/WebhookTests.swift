import CarnetAdmission
import CarnetService
import Cryptography
import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import NodeAdmission
import ServiceHarness
import Testing
import Yams

/// The API server asks the gate, as the manifests tell it to.
@Suite("Webhook", .serialized, .timeLimit(.minutes(10))) struct WebhookTests {
    private static let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    private static let taint: HarnessJSON = ["key": "carnet.dev/unattested", "value": "never", "effect": "NoSchedule"]

    /// Tells the API server where the gate is.
    private func install(_ scene: GateScene, _ base: String) async throws {
        let authority = Data(scene.cluster.authority.certificate.utf8).base64EncodedString()
        let hook = { (name: String, path: String, rules: HarnessJSON) -> HarnessJSON in
            [
                "name": .string(name), "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "failurePolicy": "Fail", "timeoutSeconds": 5, "rules": rules,
                "clientConfig": ["url": .string(base + path), "caBundle": .string(authority)],
            ]
        }
        let answer = try await scene.cluster.call(
            .post, Self.path,
            [
                "metadata": ["name": "carnet-admission"],
                "webhooks": [
                    hook(
                        "nodes.carnet.dev", "/validate/nodes",
                        [
                            [
                                "operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"],
                                "resources": ["nodes"],
                            ]
                        ]),
                    hook(
                        "certificates.carnet.dev", "/validate/certificatesigningrequests",
                        [
                            [
                                "operations": ["CREATE"], "apiGroups": ["certificates.k8s.io"], "apiVersions": ["v1"],
                                "resources": ["certificatesigningrequests"],
                            ],
                            [
                                "operations": ["UPDATE"], "apiGroups": ["certificates.k8s.io"], "apiVersions": ["v1"],
                                "resources": ["certificatesigningrequests/approval"],
                            ],
                        ]),
                ],
            ])
        #expect(answer.status == 201, "\(answer.text)")
        let probe: HarnessJSON = ["metadata": ["name": "probe"]]
        #expect(
            try await eventually {
                try await scene.cluster.call(.post, GateScene.nodes + "?dryRun=All", probe).status >= 400
            })
    }

    /// Runs a gate with TLS, which the API server asks.
    private func asked(_ scene: GateScene, _ body: @Sendable () async throws -> Void) async throws {
        let identity = try scene.cluster.authority.server("gate", names: ["IP:127.0.0.1"])
        let certificate = try scene.folder.write(Array(identity.certificate.utf8), "gate.pem")
        let key = scene.folder.path + "/gate.key"
        try PrivateFile.create(key, Array(identity.key.utf8))
        let configuration = try await scene.configuration("one") {
            $0.security = .tls(certificateFile: certificate, privateKeyFile: key)
            $0.operatorGroups = ["carnet-operators"]
        }
        try await RunningService.with(
            scheme: "https", { onListening in try AdmissionGate(configuration, onListening: onListening) },
            { (client: ServiceClient) async throws in
                try await install(scene, "https://127.0.0.1:\(client.port)")
                try await body()
            })
    }

    private func register(
        _ scene: GateScene, _ name: String, as user: ClusterUser, taints: [HarnessJSON] = [taint]
    ) async throws -> ClusterAnswer {
        try await scene.cluster.call(
            .post, GateScene.nodes,
            ["metadata": ["name": .string(name)], "spec": ["taints": .array(taints)]], as: user)
    }

    @Test("A node joins under its own name and with the taint, becomes good, and nobody else writes the gate's marks")
    func nodes() async throws {
        try await GateScene.with { scene in
            try await asked(scene) {
                #expect(try await register(scene, "node-a", as: .node("node-a"), taints: []).status == 403)
                #expect(try await register(scene, "node-a", as: .admin, taints: []).status == 403)
                let joined = try await register(scene, "node-a", as: .node("node-a"))
                #expect(joined.status == 201, "\(joined.text)")
                try await scene.show(scene.passport("node-a"), on: "node-a")
                #expect(try await scene.becomes("node-a", GateScene.good))
                if TestCluster.isReal {
                    // 1.20.2 tells webhooks that a node was before as it is to be (CVE-2021-25735).
                    return print("skipped: this API server does not tell webhooks what a node was before")
                }
                let path = GateScene.nodes + "/node-a"
                let changes: [HarnessJSON] = [
                    ["metadata": ["labels": ["carnet.node-restriction.kubernetes.io/attested": .null]]],
                    ["metadata": ["annotations": ["carnet.dev/passport": "stolen"]]],
                    ["spec": ["taints": [Self.taint]]],
                ]
                for change in changes {
                    let answer = try await scene.cluster.call(.patch, path, change)
                    let log = scene.log.text.filter { $0.contains("a change is") }.suffix(4)
                    #expect(
                        answer.status == 403 && answer.message.contains("carnet-admission: "),
                        "\(answer.status) \(answer.message) \(log)")
                }
                #expect(
                    try await scene.cluster.call(.patch, path, ["metadata": ["labels": ["zone": "b"]]]).status == 200)
            }
        }
    }

    @Test("A request that would be denied does not come into being, and nobody but the gate approves") func requests()
        async throws
    {
        try await GateScene.with { scene in
            try await asked(scene) {
                let stolen = try await scene.ask("stolen", try scene.text("node-a", showing: nil))
                #expect(stolen.status == 403 && stolen.message.contains("PassportMissing"), "\(stolen.text)")
                let good = try await scene.ask("good", try scene.text("node-a", showing: scene.passport("node-a")))
                #expect(good.status == 201, "\(good.text)")
                #expect(try await scene.comes("good", GateScene.approved))
                // It waits, since its passport is from the future: and an administrator's approval does not help.
                let text = try scene.text("node-b", showing: scene.passport("node-b", age: -200))
                let waiting = try await scene.ask("waiting", text)
                #expect(waiting.status == 201 && waiting.headers["warning"]?.contains("waits") == true)
                let path = GateScene.requests + "/waiting"
                var object = try await scene.cluster.call(.get, path).json
                object["status"] = ["conditions": [["type": "Approved", "status": "True", "reason": "ByHand"]]]
                let approved = try await scene.cluster.call(.put, path + "/approval", object)
                #expect(approved.status == 403 && approved.message.contains("ApprovalIsTheGates"), "\(approved.text)")
                object["status"] = ["conditions": [["type": "Denied", "status": "True", "reason": "ByHand"]]]
                #expect(try await scene.cluster.call(.put, path + "/approval", object).status == 200)
            }
        }
    }

    @Test("While no replica answers nobody joins, and nothing else is in the way") func down() async throws {
        try await GateScene.with { scene in
            try await asked(scene) {}
            #expect(try await register(scene, "node-a", as: .node("node-a")).status == 500)
            #expect(
                try await scene.ask("good", try scene.text("node-a", showing: scene.passport("node-a"))).status == 500)
            let other = try await scene.cluster.call(
                .post, "/api/v1/namespaces/carnet/configmaps", ["metadata": ["name": "x"]])
            #expect(other.status == 201)
        }
    }

    @Test("What is no review is answered with 400, and what is too long with 413") func unreadable() async throws {
        try await GateScene.with { scene in
            try await scene.gate("one", { $0.gates = [.webhook] }) { (client: ServiceClient) async throws in
                #expect(try await client.send(.post, "/validate/nodes", "{}").status == 400)
                #expect(try await client.send(.post, "/validate/nodes", "").status == 400)
                let long = [UInt8](repeating: 0x20, count: (3 << 20) + 1)
                let answer = try await client.call(
                    .post, "/validate/nodes", type: "application/json", body: long)
                #expect(answer.status == 413)
                #expect(try await client.call(.get, "/validate/nodes").status == 405)
            }
        }
    }

    @Test("It is ready when it knows the nodes, and alive before") func health() async throws {
        try await GateScene.withDouble { scene, double in
            double.fault(.status(500, retryAfter: nil), times: 1_000_000) { $0.resource == "nodes" }
            try await scene.gate("one", { $0.gates = [.webhook, .approver] }) { (client: ServiceClient) async throws in
                #expect(try await client.call(.get, "/livez").status == 200)
                #expect(try await client.call(.get, "/readyz").status == 503)
                double.clearFaults()
                #expect(try await eventually { try await client.call(.get, "/readyz").status == 200 })
            }
        }
    }
}
