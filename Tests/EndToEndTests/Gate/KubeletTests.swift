import CarnetKubelet
import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Fixtures
import Foundation
import HTTPTypes
import KubernetesAPI
import KubernetesHarness
import NodeAdmission
import StrictEncoding
import Testing
import VerifierHarness

/// `carnet-agent kubelet` as a program, on a software TPM, with a real verifier and the Kubernetes API. An approver stands in for the gate.
@Suite("A node gets its credentials by attestation", .serialized, .timeLimit(.minutes(6)))
struct KubeletTests {
    /// The node that a credential's file is for, which must be private.
    private func node(in file: String) throws -> String? {
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        return NodeCredential(file: file)?.node
    }

    @Test("Enrolled, labelled, asked, approved: certificate and kubeconfig are written, and the passport is shown")
    func story() async throws {
        try await NodeScene.with { scene in
            try await StandInApprover(scene: scene).run {
                let first = try await scene.once()
                #expect(first.status == 0 && first.text.contains("no Node node-17 yet"), "\(first.errors)")
                #expect(try node(in: scene.credentialFile) == "node-17")
                let request = try #require(try await scene.requests().first)
                #expect(request["metadata"]?["name"]?.string?.hasPrefix("carnet-node-17-") == true)
                let usages = ["digital signature", "key encipherment", "client auth"]
                #expect(request["spec"]?["usages"]?.strings == usages.filter { TestCluster.isReal || $0 != usages[1] })
                #expect(request["spec"]?["username"]?.string == "system:bootstrap:carnet")

                // What was written is what a kubelet can use: this client is asked as the node.
                let kubelet = try KubernetesClient(Kubeconfig(file: scene.kubeconfig).configuration)
                try await kubelet.create(.nodes, .init(["metadata": ["name": "node-17"]]))
                await #expect(throws: KubernetesError.self) {
                    try await kubelet.create(.nodes, .init(["metadata": ["name": "node-18"]]))
                }
                await kubelet.close()

                let pair = try Data(contentsOf: URL(filePath: scene.credentialFile))
                let second = try await scene.once(bootstrap: false)
                #expect(second.status == 0 && second.text.contains("is shown on the Node"), "\(second.errors)")
                #expect(try Data(contentsOf: URL(filePath: scene.credentialFile)) == pair, "it is good for hours yet")
                #expect(try await scene.requests().count == 1)
                guard case .attested? = try await scene.standing() else {
                    Issue.record("\(String(describing: try await scene.standing()))")
                    return
                }
            }
        }
    }

    @Test("A denial is told with its reason, and a machine that nobody named gets nothing")
    func denied() async throws {
        try await NodeScene.with(label: nil) { scene in
            try await StandInApprover(scene: scene).run {
                let denied = try await scene.once()
                #expect(denied.status == 1 && denied.errors.contains("MachineNotNamed"), "\(denied.errors)")
                #expect(denied.errors.contains("kubernetes-node=node-17"))
                #expect(!FileManager.default.fileExists(atPath: scene.credentialFile))
                #expect(!FileManager.default.fileExists(atPath: scene.kubeconfig))
                try await scene.label("node-18")
                let other = try await scene.once()
                #expect(other.status == 1 && other.errors.contains("MachineIsAnotherNode"), "\(other.errors)")
                try await scene.label("node-17")
                #expect(try await scene.once().status == 0)
            }
        }
    }

    @Test("Without anybody who decides it ends with what it waited for")
    func patience() async throws {
        try await NodeScene.with { scene in
            let ending = try await scene.once(["--wait-seconds", "10"])
            #expect(ending.status == 3 && ending.errors.contains("not decided about"), "\(ending.errors)")
            #expect(ending.errors.contains("carnet-admission"))
            let none = try await scene.once(bootstrap: false)
            #expect(none.status == 2 && none.errors.contains("--bootstrap-kubeconfig"), "\(none.errors)")
        }
    }

    @Test("A machine that was tampered with gets no certificate, says so on its Node, and keeps the files that it has")
    func tampered() async throws {
        try await NodeScene.with { scene in
            try await StandInApprover(scene: scene).run {
                #expect(try await scene.once().status == 0)
                try await scene.join()
                #expect(try await scene.once().status == 0)
                let pair = try Data(contentsOf: URL(filePath: scene.credentialFile))
                try scene.tamper()
                let refused = try await scene.once()
                #expect(
                    refused.status == 1 && refused.errors.contains("not what the policy allows"), "\(refused.errors)")
                #expect(try await scene.standing() == .contraindicated)
                #expect(try Data(contentsOf: URL(filePath: scene.credentialFile)) == pair)
                // Even with the bootstrap token there is no new one.
                try FileManager.default.removeItem(atPath: scene.credentialFile)
                let again = try await scene.once()
                #expect(again.status == 1 && !FileManager.default.fileExists(atPath: scene.credentialFile))
                #expect(try await scene.requests().count == 1)
            }
        }
    }

    @Test("It renews with the node's own certificate and a new attestation, also after the API was away")
    func renewal() async throws {
        try await NodeScene.with(certificateLife: 24) { scene in
            try await StandInApprover(scene: scene).run {
                let running = try await scene.start(["--expiration-seconds", "600"])
                #expect(try await eventually { NodeCredential(file: scene.credentialFile) != nil })
                try await scene.join()
                let first = try #require(NodeCredential(file: scene.credentialFile))
                #expect(try await eventually { try await scene.shown() != nil })
                #expect(
                    try await eventually {
                        NodeCredential(file: scene.credentialFile).map { $0.pem != first.pem } == true
                    }, "\(scene.said)")
                let users = try await scene.requests().map { $0["spec"]?["username"]?.string ?? "" }
                #expect(users.contains("system:node:node-17"))
                await scene.cluster.pause()
                let second = try #require(NodeCredential(file: scene.credentialFile))
                try await Task.sleep(for: .seconds(1))
                #expect(NodeCredential(file: scene.credentialFile) == second)
                try await scene.cluster.resume()
                #expect(
                    try await eventually {
                        NodeCredential(file: scene.credentialFile).map { $0.pem != second.pem } == true
                    }, "\(scene.said)")
                guard case .attested? = try await scene.standing() else {
                    Issue.record("\(String(describing: try await scene.standing()))")
                    return
                }
                #expect(running.stop() == 0)
            }
        }
    }

    @Test("A serving certificate is for the node's name and the addresses of its Node")
    func serving() async throws {
        try await NodeScene.with { scene in
            try await StandInApprover(scene: scene).run {
                let words = ["--serving-certificate-dir", scene.folder.path + "/serving"]
                #expect(try await scene.once(words).status == 0)
                try await scene.join()
                let early = try await scene.once(words)
                #expect(early.status == 1 && early.errors.contains("states no address"), "\(early.errors)")
                let stated = try await scene.cluster.call(
                    .patch, NodeScene.nodePath + "/status",
                    [
                        "status": [
                            "addresses": [
                                ["type": "InternalIP", "address": "10.0.0.17"],
                                ["type": "Hostname", "address": "node-17"],
                            ]
                        ]
                    ], as: .node("node-17"))
                #expect(stated.status == 200, "\(stated.text)")
                let served = try await scene.once(words)
                #expect(served.status == 0, "\(served.errors)")
                let file = scene.folder.path + "/serving/kubelet-serving.pem"
                #expect(try node(in: file) == "node-17")
                guard let openssl = try Witness.find("openssl") else { return }
                let told = try openssl.run(["x509", "-in", file, "-noout", "-ext", "subjectAltName,extendedKeyUsage"])
                #expect(told.text.contains("DNS:node-17, IP Address:10.0.0.17"), "\(told.text)")
                #expect(told.text.contains("TLS Web Server Authentication"))
            }
        }
    }

    @Test("A client of Kubernetes gets a passport as its token, and the same one again while it is good")
    func execCredential() async throws {
        try await NodeScene.with { scene in
            func answer(_ version: String) async throws -> JSONNode {
                let info =
                    #"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/\#(version)","spec":{}}"#
                let ending = try await scene.agent(
                    ["kubelet", "credential", "--audience", NodeScene.audience],
                    environment: ["KUBERNETES_EXEC_INFO": info])
                #expect(ending.status == 0, "\(ending.errors)")
                return try JSONDocument(parsing: ending.output, maximumByteCount: 65_536).root
            }
            let first = try await answer("v1"), second = try await answer("v1beta1")
            #expect(second["apiVersion"]?.string == "client.authentication.k8s.io/v1beta1")
            let token = try #require(first["status"]?["token"]?.string)
            #expect(second["status"]?["token"]?.string == token)
            let passport = try await scene.verifier().verify(Array(token.utf8), at: Office.now)
            #expect(first["status"]?["expirationTimestamp"]?.string == RFC3339.format(passport.expiresAt))
            // What the guide's rules for API servers look at.
            let claims = try JSONDocument(
                parsing: CompactJWS(parsing: Array(token.utf8)).payload, maximumByteCount: 65_536
            ).root
            #expect(claims["aud"]?.elements?.compactMap(\.string) == [NodeScene.audience])
            #expect(claims["ear_status"]?.string == "affirming")
            let machine = claims["submods"]?["tpm"]?["ear_verifier_claims"]
            #expect(machine?["appraisal_depth"]?.string == "event-log")
            let wrong = try await scene.agent(
                ["kubelet", "credential", "--audience", NodeScene.audience],
                environment: ["KUBERNETES_EXEC_INFO": "{}"])
            #expect(wrong.status == 2 && wrong.output.isEmpty)
            let stranger = try await scene.agent(["kubelet", "credential", "--audience", "https://b.example"])
            #expect(stranger.status != 0 && stranger.output.isEmpty)
            try scene.tpm.measure(GoodBoot.log())
            try FileManager.default.removeItem(
                atPath: scene.folder.path + "/state/"
                    + (try #require(
                        try FileManager.default.contentsOfDirectory(atPath: scene.folder.path + "/state")
                            .first { $0.hasPrefix("exec-") })))
            let refused = try await scene.agent(["kubelet", "credential", "--audience", NodeScene.audience])
            #expect(refused.status == 1 && refused.output.isEmpty && refused.errors.contains("policy"))
        }
    }
}
