import Fixtures
import HTTPTypes
import KubernetesHarness
import Testing

/// `carnet-agent kubelet credential` as kubectl runs it, against an API server that is told of the verifier as the guide says. Only a real
/// server checks tokens: 1.20, by its flags for OpenID Connect.
@Suite(
    "An API server takes passports as tokens", .serialized,
    .enabled(if: TestCluster.isReal, "CARNET_TEST_KUBERNETES is not real"), .timeLimit(.minutes(6)))
struct TokenTests {
    @Test("The machine is a user of its own, with the rights that it is given; no other passport counts")
    func story() async throws {
        try await TokenScene.with { scene in
            let nodes = ["get", "nodes", "--output", "name"], user = try await scene.user()
            // The server has the keys some ten seconds after its start. Then it knows who asks, and that it may not.
            var refused: Program.Ending?
            #expect(
                try await eventually {
                    let ending = try await scene.kubectl(nodes)
                    refused = ending
                    return ending.errors.contains("User \"\(user)\" cannot list resource \"nodes\"")
                }, "\(user): \(refused?.errors ?? "")")
            try await allow(user, scene.cluster)
            #expect(try await eventually { try await scene.kubectl(nodes).text == "node/node-17\n" })

            // For the same machine, by the same verifier, but for another service.
            let other = try await scene.kubectl(nodes, audience: TokenScene.otherAudience)
            #expect(other.status == 1 && other.errors.contains("Unauthorized"), "\(other)")

            let good = try await scene.verdict()
            #expect(try await scene.status(good) == 200)
            #expect(try await scene.status(spoiled(good)) == 401)

            try scene.tamper()
            let bad = try await scene.kubectl(nodes)
            #expect(bad.status == 1 && bad.output.isEmpty, "\(bad)")
            #expect(
                bad.errors.contains("not what the policy allows") && bad.errors.contains("getting credentials"),
                "\(bad.errors)")
            // What the verifier signs all the same is no token: the flag that wants the status sees to that.
            #expect(try await scene.status(try await scene.verdict()) == 401)
        }
    }

    /// The same with another signature.
    private func spoiled(_ token: String) -> String {
        guard let dot = token.lastIndex(of: ".") else { return "" }
        let signature = token[dot...].dropFirst()
        return token[...dot] + (signature.hasPrefix("A") ? "B" : "A") + signature.dropFirst()
    }

    private func allow(_ user: String, _ cluster: TestCluster) async throws {
        let roles = "/apis/rbac.authorization.k8s.io/v1/"
        let objects: [(String, HarnessJSON)] = [
            ("/api/v1/nodes", ["metadata": ["name": "node-17"]]),
            (
                roles + "clusterroles",
                [
                    "metadata": ["name": "nodes-readers"],
                    "rules": [["apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]]],
                ]
            ),
            (
                roles + "clusterrolebindings",
                [
                    "metadata": ["name": "machine-reads"],
                    "subjects": [
                        ["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": .string(user)]
                    ],
                    "roleRef": [
                        "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "nodes-readers",
                    ],
                ]
            ),
        ]
        for (path, object) in objects {
            let answer = try await cluster.call(.post, path, object)
            #expect(answer.status == 201, "\(answer.text)")
        }
    }
}
