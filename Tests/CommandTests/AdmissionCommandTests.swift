import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import StrictEncoding
import Testing

/// `carnet admission`, as an operator runs it against a cluster.
@Suite("carnet admission", .timeLimit(.minutes(5)))
struct AdmissionCommandTests {
    private let carnet = Program("carnet")

    /// What a preflight says of a cluster, by rule.
    private func preflight(_ cluster: TestCluster, status: Int32) async throws -> [String: JSONNode] {
        let file = try await cluster.kubeconfig(for: .admin)
        let ending = try await carnet.run(["admission", "preflight", "--kubeconfig", file, "--json"])
        #expect(ending.status == status, "\(ending)")
        let findings = try JSONDocument(parsing: ending.output, maximumByteCount: 1 << 20).root.elements ?? []
        return Dictionary(findings.map { ($0["rule"]?.string ?? "", $0) }) { $1 }
    }

    private func bind(
        _ cluster: TestCluster, _ binding: String, _ role: String, _ group: String, _ rules: HarnessJSON? = nil
    ) async throws {
        let api = "/apis/rbac.authorization.k8s.io/v1/"
        if let rules {
            _ = try await cluster.call(
                .post, api + "clusterroles", ["metadata": ["name": .string(role)], "rules": rules])
        }
        let answer = try await cluster.call(
            .post, api + "clusterrolebindings",
            [
                "metadata": ["name": .string(binding)],
                "subjects": [
                    ["kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": .string(group)]
                ],
                "roleRef": [
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": .string(role),
                ],
            ])
        #expect(answer.status == 201, "\(answer.text)")
    }

    private func rule(_ verb: String, _ resource: String, _ group: String, name: String? = nil) -> HarnessJSON {
        var rule: HarnessJSON = [
            "verbs": [.string(verb)], "resources": [.string(resource)], "apiGroups": [.string(group)],
        ]
        if let name { rule["resourceNames"] = [.string(name)] }
        return rule
    }

    @Test("A cluster as kubeadm makes it has the ways past the gate that everybody has; without them it has none")
    func automaticApproval() async throws {
        try await TestCluster.with { cluster in
            #expect(try await preflight(cluster, status: 0)["auto-approval"] == nil)
            let certificates = "certificates.k8s.io"
            try await bind(
                cluster, "kubeadm:node-autoapprove-bootstrap", "carnet-test:nodeclient",
                "system:bootstrappers:kubeadm:default-node-token",
                [rule("create", "certificatesigningrequests/nodeclient", certificates)])
            try await bind(
                cluster, "kubeadm:node-autoapprove-certificate-rotation", "carnet-test:selfnodeclient", "system:nodes",
                [rule("create", "certificatesigningrequests/selfnodeclient", certificates)])
            let found = try #require(try await preflight(cluster, status: 1)["auto-approval"])
            #expect(found["weight"]?.string == "bypass" && found["objects"]?.elements?.count == 2)
            // The remedy is what an operator types, and it is right.
            #expect(
                found["remedy"]?.string
                    == "kubectl delete clusterrolebinding/kubeadm:node-autoapprove-bootstrap clusterrolebinding/kubeadm:node-autoapprove-certificate-rotation"
            )
            for name in ["bootstrap", "certificate-rotation"] {
                let path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kubeadm:node-autoapprove-" + name
                _ = try await cluster.call(.delete, path)
            }
            #expect(try await preflight(cluster, status: 0)["auto-approval"] == nil)
        }
    }

    @Test(
        "Every other way to let a machine in is found",
        arguments: [
            (
                "other-approvers",
                [
                    "update certificatesigningrequests/approval certificates.k8s.io",
                    "approve signers certificates.k8s.io",
                ]
            ),
            ("other-approvers", ["* certificatesigningrequests/approval *", "* signers *"]),
            ("node-writers", ["patch nodes "]), ("node-writers", ["* * "]), ("node-writers", ["patch nodes/status "]),
            (
                "other-approvers",
                [
                    "patch certificatesigningrequests/approval certificates.k8s.io",
                    "approve signers certificates.k8s.io",
                ]
            ),
            ("impersonators", ["impersonate users "]), ("impersonators", ["create serviceaccounts/token "]),
            ("auto-approval", ["create certificatesigningrequests/nodeclient *"]),
            ("auto-approval", ["* */selfnodeclient certificates.k8s.io"]),
        ])
    func others(expected: String, uses: [String]) async throws {
        try await TestCluster.with { cluster in
            let before = try await preflight(cluster, status: 0)[expected]
            #expect(before == nil, "\(before?["objects"]?.elements?.compactMap(\.string) ?? [])")
            let rules = uses.map { use in
                let words = use.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                return rule(words[0], words[1], words[2])
            }
            // A group of people is a warning, and one that every machine is in a bypass. Automatic approval is one in any case.
            let isAlways = expected == "auto-approval"
            try await bind(cluster, "carnet-test:people", "carnet-test:uses", "carnet-operators", .array(rules))
            let found = try await preflight(cluster, status: isAlways ? 1 : 0)[expected]
            #expect(found?["weight"]?.string == (isAlways ? "bypass" : "warning"))
            #expect(found?["objects"]?.elements?.first?.string?.hasPrefix("Group carnet-operators by ") == true)
            try await bind(cluster, "carnet-test:machines", "carnet-test:uses", "system:bootstrappers")
            #expect(try await preflight(cluster, status: 1)[expected]?["weight"]?.string == "bypass")
        }
    }

    @Test("Nodes that have by RBAC what the node authorizer gives are a bypass")
    func legacy() async throws {
        try await TestCluster.with { cluster in
            try await bind(
                cluster, "carnet-test:nodes", "carnet-test:node", "system:nodes", [rule("update", "nodes", "")])
            #expect(try await preflight(cluster, status: 1)["nodes-by-rbac"]?["weight"]?.string == "bypass")
        }
    }

    @Test("A webhook that is not there, or lets things by, is told; one as it is shipped is not")
    func webhook() async throws {
        try await TestCluster.with { cluster in
            #expect(try await preflight(cluster, status: 0)["webhook-absent"] != nil)
            func entry(_ name: String, _ operation: String, _ resource: String, _ group: String) -> HarnessJSON {
                [
                    "name": .string(name), "admissionReviewVersions": ["v1"], "sideEffects": "None",
                    "failurePolicy": "Fail", "timeoutSeconds": 1,
                    "clientConfig": [
                        "url": "https://127.0.0.1:1/",
                        "caBundle": .string(Data(cluster.authority.certificate.utf8).base64EncodedString()),
                    ],
                    "rules": [
                        [
                            "apiGroups": [.string(group)], "apiVersions": ["v1"], "operations": [.string(operation)],
                            "resources": [.string(resource)],
                        ]
                    ],
                ]
            }
            let certificates = "certificates.k8s.io"
            let whole = [
                entry("a.carnet.dev", "CREATE", "nodes", ""), entry("b.carnet.dev", "UPDATE", "nodes", ""),
                entry("e.carnet.dev", "UPDATE", "nodes/status", ""),
                entry("c.carnet.dev", "CREATE", "certificatesigningrequests", certificates),
                entry("d.carnet.dev", "UPDATE", "certificatesigningrequests/approval", certificates),
            ]
            let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
            func install(_ entries: [HarnessJSON]) async throws {
                _ = try await cluster.call(.delete, path + "/carnet-admission")
                let answer = try await cluster.call(
                    .post, path, ["metadata": ["name": "carnet-admission"], "webhooks": .array(entries)])
                #expect(answer.status == 201, "\(answer.text)")
            }
            func faults() async throws -> [String]? {
                let found = try await preflight(cluster, status: 0)
                #expect(found["webhook-absent"] == nil)
                return found["webhook-open"]?["objects"]?.elements?.compactMap(\.string)
            }
            try await install(whole)
            #expect(try await faults() == nil)
            for index in whole.indices where !(TestCluster.isReal && index == 2) {
                var less = whole
                less.remove(at: index)
                try await install(less)
                #expect(try await faults()?.first?.contains("no webhook is asked") == true)
            }
            var ignoring = whole
            ignoring[0]["failurePolicy"] = "Ignore"
            ignoring[1]["objectSelector"] = ["matchLabels": ["a": "b"]]
            try await install(ignoring)
            #expect(try await faults()?.count == 2)
            // With the webhook in place others' rights to change nodes are no danger to the gate's marks.
            try await install(whole)
            try await bind(
                cluster, "carnet-test:people", "carnet-test:writers", "carnet-operators", [rule("patch", "nodes", "")])
            #expect(try await preflight(cluster, status: 0)["node-writers"]?["weight"]?.string == "note")
        }
    }

    @Test("Nodes without a passport are counted, and text and exit status are for people and scripts")
    func text() async throws {
        try await TestCluster.with { cluster in
            for name in ["node-1", "node-2"] {
                let annotations: HarnessJSON = name == "node-2" ? ["carnet.dev/passport": "eyJ"] : [:]
                _ = try await cluster.call(
                    .post, "/api/v1/nodes",
                    ["metadata": ["name": .string(name), "annotations": annotations]])
            }
            let file = try await cluster.kubeconfig(for: .admin)
            let ending = try await carnet.run(["admission", "preflight"], environment: ["KUBECONFIG": file])
            #expect(ending.status == 0 && ending.text.contains("1 of 2 nodes show no passport"), "\(ending)")
            #expect(ending.text.contains("Node node-1") && ending.text.hasSuffix("Nothing bypasses the gate.\n"))
            let stranger = try await cluster.kubeconfig(for: .stranger)
            let refused = try await carnet.run(["admission", "preflight", "--kubeconfig", stranger])
            #expect(refused.status == 2 && refused.errors.contains("stranger@example.org"), "\(refused)")
            let nowhere = try await carnet.run(["admission", "preflight", "--server", "http://127.0.0.1:1"])
            #expect(nowhere.status == 3 && nowhere.errors.contains("127.0.0.1:1"), "\(nowhere)")
            let plain = try await carnet.run(["admission", "preflight", "--server", "http://kubernetes.example"])
            #expect(plain.status == 2 && plain.errors.contains("not https"), "\(plain)")
        }
    }

    @Test("The operator's word is written, replaced and taken back")
    func word() async throws {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace("word"), file = try await cluster.kubeconfig(for: .admin)
        let base = ["admission", "allow-taints", "--kubeconfig", file, "--namespace", namespace]
        func data() async throws -> HarnessJSON? {
            let path = "/api/v1/namespaces/\(namespace)/configmaps/carnet-admission"
            return try await cluster.call(.get, path).json["data"]
        }
        // Where no gate ever ran nobody would read the word.
        for words in [["--for", "1h"], ["--stop"]] {
            let elsewhere = try await carnet.run(base + words)
            #expect(elsewhere.status == 1 && elsewhere.output.isEmpty, "\(elsewhere)")
            #expect(
                elsewhere.errors.contains(namespace)
                    && elsewhere.errors.contains("Is the gate installed there? --namespace"))
        }
        #expect(try await data() == nil)
        try await lease(cluster, namespace, of: "gate-1")
        // To take back what was never said is no fault, and makes nothing.
        #expect(try await carnet.run(base + ["--stop"]).status == 0)
        #expect(try await data() == nil)
        for time in ["1h", "2h"] {
            let ending = try await carnet.run(base + ["--for", time, "--reason", "rack 4"])
            #expect(ending.status == 0, "\(ending)")
            let until = try #require(try await data()?["taint-until"]?.string.flatMap { RFC3339.parse($0) })
            let ahead = until - Int64(Date().timeIntervalSince1970)
            #expect((time == "1h" ? 3500...3600 : 7100...7200).contains(ahead), "\(ahead)")
        }
        #expect(try await data()?["reason"]?.string == "rack 4")
        #expect(try await carnet.run(base + ["--stop"]).status == 0)
        #expect(try await data()?["taint-until"]?.string == nil)
        for wrong in [
            ["--for", "25h"], ["--for", "10s"], [], ["--for", "1h", "--stop"], ["--for", "1h", "--reason", ""],
            ["--for", "1h", "--reason", " \t "],
        ] {
            #expect(try await carnet.run(base + wrong).status == 2, "\(wrong)")
        }
        #expect(try await data()?["taint-until"]?.string == nil)
    }

    /// The lease of a gate, as its leader writes it.
    private func lease(_ cluster: TestCluster, _ namespace: String, of holder: String) async throws {
        let answer = try await cluster.call(
            .post, "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases",
            ["metadata": ["name": "carnet-admission"], "spec": ["holderIdentity": .string(holder)]])
        #expect(answer.status == 201, "\(answer.text)")
    }

    @Test("A namespace without the gate is told with what to do, and one that no cluster can have is refused")
    func namespaces() async throws {
        let cluster = try await TestCluster.shared(), file = try await cluster.kubeconfig(for: .admin)
        func told(_ namespace: String) async throws -> PreflightLine? {
            let ending = try await carnet.run(
                ["admission", "preflight", "--kubeconfig", file, "--namespace", namespace, "--json"])
            return try JSONDecoder().decode([PreflightLine].self, from: Data(ending.output))
                .first { $0.rule == "no-leader" }
        }
        let empty = try await cluster.namespace("nobody"), left = try await cluster.namespace("left")
        let held = try await cluster.namespace("held")
        try await lease(cluster, left, of: "")
        try await lease(cluster, held, of: "gate-1")
        for namespace in [empty, "carnet-no-such-namespace"] {
            let found = try #require(try await told(namespace))
            #expect(found.finding.contains("The namespace \(namespace) has no lease"))
            #expect(found.remedy?.contains("Is the gate installed there? --namespace") == true)
        }
        #expect(try await told(left)?.finding.contains("does not run") == true)
        #expect(try await told(held) == nil)
        let absent = try await carnet.run([
            "admission", "allow-taints", "--for", "1h", "--kubeconfig", file, "--namespace", "carnet-no-such-namespace",
        ])
        #expect(absent.status == 1 && absent.errors.contains("Is the gate installed there? --namespace"), "\(absent)")
        for command in [["preflight"], ["allow-taints", "--stop"], ["lift-taints"]] {
            for name in ["", "Carnet", "a.b", "a b", "-a", "a-", "a/b", String(repeating: "a", count: 64)] {
                let ending = try await carnet.run(
                    ["admission"] + command + ["--kubeconfig", file, "--namespace=" + name])
                #expect(ending.status == 2 && ending.errors.contains("--namespace"), "\(command) \(ending)")
            }
        }
    }

    private struct PreflightLine: Decodable {
        let rule: String, finding: String, remedy: String?
    }

    @Test("The gate's taints go, and nobody else's")
    func lift() async throws {
        try await TestCluster.with { cluster in
            let ours: HarnessJSON = ["key": "carnet.dev/unattested", "value": "lapsed", "effect": "NoSchedule"]
            let evicting: HarnessJSON = ["key": "carnet.dev/unattested", "value": "lapsed", "effect": "NoExecute"]
            let theirs: HarnessJSON = ["key": "example.org/reserved", "effect": "NoSchedule"]
            for (name, taints) in [("node-1", [ours, theirs, evicting]), ("node-2", [theirs]), ("node-3", [ours])] {
                _ = try await cluster.call(
                    .post, "/api/v1/nodes",
                    ["metadata": ["name": .string(name)], "spec": ["taints": .array(taints)]])
            }
            let base = ["admission", "lift-taints", "--kubeconfig", try await cluster.kubeconfig(for: .admin)]
            func keys(_ node: String) async throws -> [String] {
                try await cluster.call(.get, "/api/v1/nodes/" + node).json["spec"]?["taints"]?.elements.compactMap {
                    $0["key"]?.string
                }.filter { !$0.hasPrefix("node.kubernetes.io/") } ?? []
            }
            let one = try await carnet.run(base + ["--node", "node-3"])
            #expect(one.status == 0 && one.text.contains("Lifted: node-3"), "\(one)")
            #expect(try await keys("node-1").count == 3)
            #expect(try await carnet.run(base + ["--node", "node-9"]).status == 1)
            let all = try await carnet.run(base + ["--json"])
            #expect(all.status == 0 && all.text.contains("node-1") && !all.text.contains("node-2"), "\(all)")
            for node in ["node-1", "node-2"] { #expect(try await keys(node) == ["example.org/reserved"]) }
            #expect(try await keys("node-3") == [])
            #expect(try await carnet.run(base).text == "No node has a taint or a label of the gate.\n")
        }
    }
}
