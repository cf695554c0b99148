import CarnetTesting
import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import NodeAdmission
import ServiceHarness
import Testing
import VerifierHarness

/// All programs together: a machine, its verifier, a cluster, `carnet-agent kubelet`, and `carnet-admission` as approver and controller.
@Suite("Only attested nodes join, and only attested nodes stay", .serialized, .timeLimit(.minutes(6)))
struct GateTests {
    private func gate(_ scene: NodeScene) async throws -> Program.Running {
        let space = try await scene.cluster.call(.post, "/api/v1/namespaces", ["metadata": ["name": "carnet"]])
        #expect(space.status == 201 || space.status == 409)
        return try Program("carnet-admission").start(
            [
                "serve", "--kubeconfig", try await scene.cluster.kubeconfig(for: .admin), "--namespace", "carnet",
                "--plain-http", "--listen", "127.0.0.1:\(try FreePort.take())", "--gates", "approver,controller",
                "--audience", NodeScene.audience, "--issuer", VerifierUnderTest.issuer, "--verifier",
                "http://127.0.0.1:\(scene.client.port)", "--verifier-plain-http", "--allow-unbounded-life",
                "--lease-seconds", "3", "--refusal-grace", "3600",
            ], log: scene.folder.path + "/gate.log")
    }

    private func said(_ scene: NodeScene) -> String {
        (try? scene.folder.read("gate.log")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private struct Marks: Equatable {
        var taints: [String] = []
        var isLabelled = false
        var condition: String?
    }

    /// What the gate says of the node.
    private func marks(_ scene: NodeScene) async throws -> Marks {
        let node = try await scene.cluster.call(.get, NodeScene.nodePath).json
        let conditions = node["status"]?["conditions"]?.elements ?? []
        return Marks(
            taints: (node["spec"]?["taints"]?.elements ?? []).filter { $0["key"]?.string == "carnet.dev/unattested" }
                .map { ($0["value"]?.string ?? "") + ":" + ($0["effect"]?.string ?? "") }.sorted(),
            isLabelled: node["metadata"]?["labels"]?["carnet.node-restriction.kubernetes.io/attested"]?.string
                == "true",
            condition: conditions.first { $0["type"]?.string == "CarnetAttested" }?["status"]?.string)
    }

    @Test("A machine joins, is marked, is tampered with, is tainted, comes back, and is free again")
    func story() async throws {
        try await NodeScene.with { scene in
            let gate = try await gate(scene)
            let first = try await scene.once()
            #expect(first.status == 0, "\(first.errors)\n\(said(scene))")
            let conditions = try await scene.requests().first?["status"]?["conditions"]?.elements ?? []
            #expect(conditions.map { $0["type"]?.string } == ["Approved"])

            // The kubelet registers with the taint that it is told to have.
            let joined = try await scene.cluster.call(
                .post, "/api/v1/nodes",
                [
                    "metadata": ["name": .string(NodeScene.node)],
                    "spec": [
                        "taints": [["key": "carnet.dev/unattested", "value": "never", "effect": "NoSchedule"]]
                    ],
                ], as: .node(NodeScene.node))
            #expect(joined.status == 201, "\(joined.text)")
            #expect(try await scene.once().status == 0)
            #expect(
                try await eventually { try await marks(scene) == Marks(isLabelled: true, condition: "True") },
                "\(said(scene))")

            try scene.tamper()
            #expect(try await scene.once().status == 1)
            #expect(
                try await eventually {
                    try await marks(scene)
                        == Marks(taints: ["contraindicated:NoSchedule"], condition: "False")
                }, "\(said(scene))")

            try scene.restart()
            let back = try await scene.once()
            #expect(back.status == 0, "\(back.errors)")
            #expect(
                try await eventually { try await marks(scene) == Marks(isLabelled: true, condition: "True") },
                "\(said(scene))")
            #expect(gate.stop() == 0)
        }
    }

    @Test("With a bootstrap token and another machine's name, or without a passport, nobody joins")
    func strangers() async throws {
        try await NodeScene.with { scene in
            let gate = try await gate(scene)
            let other = try await scene.once(["--node", "node-18"])
            #expect(
                other.status == 1 && other.errors.contains("MachineIsAnotherNode"), "\(other.errors)\n\(said(scene))")
            let bare = try await scene.bareRequest()
            #expect(try await eventually { try await scene.denial(of: bare) == "PassportMissing" }, "\(said(scene))")
            #expect(!FileManager.default.fileExists(atPath: scene.credentialFile))
            #expect(gate.stop() == 0)
        }
    }
}
