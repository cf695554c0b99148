import HTTPTypes
import KubernetesHarness
import Testing

/// Who somebody is and what they may do: the same on the double and on the real server.
@Suite struct AccessTests {
    @Test("Nobody known, somebody unknown, and somebody without rights are told apart") func refusals() async throws {
        let cluster = try await TestCluster.shared()
        let unknown = try await cluster.call(.get, TestCluster.nodes, as: .bearer("nobody-knows-this"))
        #expect(unknown.status == 401 && unknown.reason == "Unauthorized" && unknown.message == "Unauthorized")
        let anonymous = try await cluster.call(.get, TestCluster.nodes, as: .anonymous)
        #expect(anonymous.status == 403 && anonymous.reason == "Forbidden")
        #expect(
            anonymous.message
                == "nodes is forbidden: User \"system:anonymous\" cannot list resource \"nodes\" in API group \"\" at the cluster scope"
        )
        let stranger = try await cluster.call(
            .get, "/apis/coordination.k8s.io/v1/namespaces/default/leases/a", as: .stranger)
        #expect(
            stranger.message
                == "leases.coordination.k8s.io \"a\" is forbidden: User \"stranger@example.org\" cannot get resource \"leases\" in API "
                + "group \"coordination.k8s.io\" in the namespace \"default\"")
        #expect(try await cluster.call(.get, "/metrics", as: .stranger).status == 403)
        #expect(try await cluster.call(.get, "/version", as: .stranger).status == 200)
        #expect(try await cluster.call(.get, "/healthz", as: .anonymous).status == 200)
    }

    @Test("A certificate's common name is the user, and its organisations are the groups") func certificates()
        async throws
    {
        let cluster = try await TestCluster.shared()
        #expect(
            try await cluster.call(.get, TestCluster.nodes, as: .certified("anna", groups: ["system:masters"])).status
                == 200)
        let refused = try await cluster.call(.get, TestCluster.nodes, as: .certified("anna"))
        #expect(refused.status == 403 && refused.message.contains("User \"anna\""))
    }

    @Test("Of a role, verbs, groups, resources, subresources and names count") func roles() async throws {
        let cluster = try await TestCluster.shared()
        let name = TestCluster.fresh("role"), user = ClusterUser.certified(name)
        let one = try await cluster.node().name, two = try await cluster.node().name
        let rules: HarnessJSON = [
            ["verbs": ["get", "patch"], "apiGroups": [""], "resources": ["nodes"], "resourceNames": [.string(one)]],
            ["verbs": ["patch"], "apiGroups": ["*"], "resources": ["nodes/status"]],
        ]
        try await cluster.bind(name, rules: rules, to: name)
        #expect(try await cluster.becomesKnown(user, verb: "get", rule: rules.elements[0]))
        let patch: HarnessJSON = ["metadata": ["labels": ["a": "b"]]]
        let cases: [(method: HTTPRequest.Method, path: String, status: Int)] = [
            (.get, "/" + one, 200), (.get, "/" + two, 403), (.get, "", 403), (.patch, "/" + one, 200),
            (.patch, "/" + two, 403), (.patch, "/\(two)/status", 200), (.get, "/\(one)/status", 403),
            (.delete, "/" + one, 403),
        ]
        for (method, path, status) in cases {
            let answer = try await cluster.call(
                method, TestCluster.nodes + path, method == .patch ? patch : nil, as: user)
            #expect(answer.status == status, "\(method) \(path): \(answer.text)")
        }
    }

    @Test("A role in a namespace counts there, and a service account is somebody") func namespaced() async throws {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace(), other = try await cluster.namespace()
        let account = ClusterUser.serviceAccount(namespace, "gate")
        let path = "/apis/rbac.authorization.k8s.io/v1/namespaces/\(namespace)"
        _ = try await cluster.call(
            .post, path + "/roles",
            [
                "metadata": ["name": "gate"],
                "rules": [["verbs": ["*"], "apiGroups": ["coordination.k8s.io"], "resources": ["*"]]],
            ])
        _ = try await cluster.call(
            .post, path + "/rolebindings",
            [
                "metadata": ["name": "gate"],
                "subjects": [["kind": "ServiceAccount", "name": "gate", "namespace": .string(namespace)]],
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "gate"],
            ])
        func leases(_ namespace: String) -> String { "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases" }
        #expect(
            try await cluster.comes { try await cluster.call(.get, leases(namespace), as: account).status == 200 })
        let made = try await cluster.call(.post, leases(namespace), ["metadata": ["name": "a"]], as: account)
        #expect(made.status == 201, "\(made.text)")
        let refused = try await cluster.call(.get, leases(other), as: account)
        #expect(
            refused.status == 403
                && refused.message.contains("User \"system:serviceaccount:\(namespace):gate\""), "\(refused.text)")
    }

    @Test("Somebody can ask what they may do") func reviews() async throws {
        let cluster = try await TestCluster.shared()
        func may(_ user: ClusterUser, _ attributes: HarnessJSON) async throws -> Bool? {
            try await cluster.call(
                .post, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                ["spec": ["resourceAttributes": attributes]], as: user
            ).json["status"]?["allowed"]?.boolean
        }
        let approve: HarnessJSON = [
            "verb": "update", "group": "certificates.k8s.io", "resource": "certificatesigningrequests",
            "subresource": "approval",
        ]
        #expect(try await may(.admin, approve) == true)
        #expect(try await may(.bootstrap, approve) == false)
        let create: HarnessJSON = [
            "verb": "create", "group": "certificates.k8s.io", "resource": "certificatesigningrequests",
        ]
        #expect(try await may(.bootstrap, create) == true)
        #expect(try await may(.stranger, create) == false)
    }

    @Test("A kubelet writes its own node, and no taint and no restricted label on it") func nodes() async throws {
        let cluster = try await TestCluster.shared()
        let name = TestCluster.fresh("node"), kubelet = ClusterUser.node(name), path = TestCluster.nodes + "/" + name
        let other = try await cluster.node().name
        let restricted = "carnet.node-restriction.kubernetes.io/attested"
        func labelled(_ labels: [String: HarnessJSON]) -> HarnessJSON {
            ["metadata": ["name": .string(name), "labels": .object(labels)]]
        }
        let claimed = try await cluster.call(.post, TestCluster.nodes, labelled([restricted: "true"]), as: kubelet)
        #expect(claimed.status == 403 && claimed.message.contains(restricted), "\(claimed.text)")
        let foreign = try await cluster.call(
            .post, TestCluster.nodes, ["metadata": ["name": .string(name + "-x")]], as: kubelet)
        #expect(foreign.status == 403, "\(foreign.text)")
        // A kubelet may register with a taint.
        var mine = labelled(["kubernetes.io/hostname": "a", "team": "b"])
        let taint: HarnessJSON = ["key": "carnet.dev/unattested", "value": "never", "effect": "NoSchedule"]
        mine["spec", "taints"] = [taint]
        let made = try await cluster.call(.post, TestCluster.nodes, mine, as: kubelet)
        #expect(made.status == 201, "\(made.text)")
        #expect(try made.json["spec"]?["taints"]?.elements.contains(taint) == true)

        let passport: HarnessJSON = ["metadata": ["annotations": ["carnet.dev/passport": "abc"]]]
        #expect(try await cluster.call(.patch, path, passport, as: kubelet).status == 200)
        let refusals: [(patch: HarnessJSON, says: String)] = [
            (["spec": ["taints": []]], "is not allowed to modify taints"),
            (labelled([restricted: "true"]), "is not allowed to modify labels: " + restricted),
            (labelled(["kubernetes.io/colour": "red"]), "is not allowed to modify labels"),
        ]
        for (patch, says) in refusals {
            for path in [path, path + "/status"] {
                let answer = try await cluster.call(.patch, path, patch, as: kubelet)
                #expect(answer.status == 403 && answer.message.contains(says), "\(answer.text)")
            }
        }
        let theirs = try await cluster.call(.patch, TestCluster.nodes + "/" + other, passport, as: kubelet)
        #expect(
            theirs.status == 403
                && theirs.message.contains("node \"\(name)\" is not allowed to modify node \"\(other)\""),
            "\(theirs.text)")
        #expect(try await cluster.call(.delete, path, as: kubelet).status == 403)
        #expect(try await cluster.call(.get, "/api/v1/namespaces/default/configmaps", as: kubelet).status == 403)
    }

    @Test("A kubelet's lease is its own, in the namespace for that") func nodeLeases() async throws {
        let cluster = try await TestCluster.shared()
        let name = TestCluster.fresh("node"), kubelet = ClusterUser.node(name)
        func path(_ namespace: String) -> String { "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases" }
        let lease: HarnessJSON = ["metadata": ["name": .string(name)]]
        #expect(
            try await cluster.comes {
                try await cluster.call(.get, "/api/v1/namespaces/kube-node-lease").status == 200
            })
        #expect(try await cluster.call(.post, path("kube-node-lease"), lease, as: kubelet).status == 201)
        #expect(try await cluster.call(.get, path("kube-node-lease") + "/" + name, as: kubelet).status == 200)
        #expect(try await cluster.call(.get, path("kube-node-lease") + "/other", as: kubelet).status == 403)
        #expect(try await cluster.call(.post, path("default"), lease, as: kubelet).status == 403)
        let other: HarnessJSON = ["metadata": ["name": "other"]]
        #expect(try await cluster.call(.post, path("kube-node-lease"), other, as: kubelet).status == 403)
    }
}
