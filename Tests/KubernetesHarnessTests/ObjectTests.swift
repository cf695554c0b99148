import Foundation
import HTTPTypes
import KubernetesHarness
import Testing

/// How objects come, change and go: the same on the double and on the real server.
@Suite struct ObjectTests {
    @Test("A new object gets an identity, a time and a version, and a new node is not ready") func creates()
        async throws
    {
        let cluster = try await TestCluster.shared()
        let name = TestCluster.fresh("node")
        let before = Date.now.addingTimeInterval(-60)
        let made = try await cluster.node(name)
        #expect(made["kind"] == "Node" && made["apiVersion"] == "v1" && made.name == name)
        #expect(UUID(uuidString: made["metadata"]?["uid"]?.string ?? "") != nil)
        #expect(made.versionNumber > 1)
        let time = try Date(made["metadata"]?["creationTimestamp"]?.string ?? "", strategy: .iso8601)
        #expect(time > before)
        #expect(
            made["spec"]?["taints"]?.elements
                .contains(["key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"]) == true)
        let read = try await cluster.call(.get, TestCluster.nodes + "/" + name)
        #expect(read.status == 200)
        #expect(try read.json.version == made.version)
    }

    @Test("An object that is larger than etcd takes is refused") func tooLarge() async throws {
        let cluster = try await TestCluster.shared()
        let name = TestCluster.fresh("node")
        try await cluster.node(name)
        let condition: HarnessJSON = [
            "type": "Padding", "status": "True", "message": .string(String(repeating: "x", count: 1_600_000)),
        ]
        let answer = try await cluster.call(
            .patch, TestCluster.nodes + "/\(name)/status", ["status": ["conditions": [condition]]])
        #expect(answer.status == 500 && answer.message.contains("too large"), "\(answer.status) \(answer.message)")
    }

    @Test("A name is taken once; what is not there is not found") func names() async throws {
        let cluster = try await TestCluster.shared()
        let name = TestCluster.fresh("node")
        try await cluster.node(name)
        let again = try await cluster.call(.post, TestCluster.nodes, ["metadata": ["name": .string(name)]])
        #expect(again.status == 409 && again.reason == "AlreadyExists")
        #expect(again.message == "nodes \"\(name)\" already exists")
        for (method, body) in [(HTTPRequest.Method.get, nil), (.delete, nil), (.patch, [:] as HarnessJSON?)] {
            let missing = try await cluster.call(method, TestCluster.nodes + "/no-such-node", body)
            #expect(missing.status == 404 && missing.reason == "NotFound", "\(method) \(missing.text)")
            #expect(missing.message == "nodes \"no-such-node\" not found")
            #expect(try missing.json["details"] == ["name": "no-such-node", "kind": "nodes"])
        }
        let lease = try await cluster.call(
            .get, "/apis/coordination.k8s.io/v1/namespaces/default/leases/no-such-lease")
        #expect(lease.message == "leases.coordination.k8s.io \"no-such-lease\" not found")
    }

    @Test("A name can be asked for by its stem") func generatesNames() async throws {
        let cluster = try await TestCluster.shared()
        let answer = try await cluster.call(.post, TestCluster.nodes, ["metadata": ["generateName": "made-up-"]])
        let name = try answer.json.name
        #expect(answer.status == 201 && name.hasPrefix("made-up-") && name.count == "made-up-".count + 5)
    }

    @Test("An update that names an old version is refused; one that names none is not") func conflicts() async throws {
        let cluster = try await TestCluster.shared()
        var first = try await cluster.node()
        let path = TestCluster.nodes + "/" + first.name
        first["metadata", "labels"] = ["round": "1"]
        let second = try await cluster.call(.put, path, first)
        #expect(second.status == 200)
        #expect(try second.json.versionNumber > first.versionNumber)
        first["metadata", "labels"] = ["round": "2"]
        let refused = try await cluster.call(.put, path, first)
        #expect(refused.status == 409 && refused.reason == "Conflict")
        #expect(
            refused.message
                == "Operation cannot be fulfilled on nodes \"\(first.name)\": the object has been modified; "
                + "please apply your changes to the latest version and try again")
        first["metadata", "resourceVersion"] = nil
        #expect(try await cluster.call(.put, path, first).json["metadata"]?["labels"] == ["round": "2"])
        var renamed = first
        renamed["metadata", "name"] = "another"
        #expect(try await cluster.call(.put, path, renamed).status == 400)
        var reborn = first
        reborn["metadata", "uid"] = "00000000-0000-4000-8000-000000000000"
        #expect(try await cluster.call(.put, path, reborn).status == 409)
    }

    @Test("What changes nothing makes no version") func idle() async throws {
        let cluster = try await TestCluster.shared()
        let made = try await cluster.node(labels: ["a": "1"])
        let path = TestCluster.nodes + "/" + made.name
        #expect(try await cluster.call(.put, path, made).json.version == made.version)
        let patched = try await cluster.call(.patch, path, ["metadata": ["labels": ["a": "1"]]])
        #expect(try patched.json.version == made.version)
    }

    @Test("A lease's update has to name a version") func leases() async throws {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace()
        let path = "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases"
        var lease = try await cluster.call(
            .post, path,
            [
                "metadata": ["name": "gate"],
                "spec": [
                    "holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z",
                ],
            ]
        ).json
        #expect(lease["spec"]?["renewTime"] == "2026-01-01T00:00:00.000000Z")
        let version = lease.version
        lease["spec", "holderIdentity"] = "two"
        lease["metadata", "resourceVersion"] = nil
        let refused = try await cluster.call(.put, path + "/gate", lease)
        #expect(refused.status == 422 && refused.message.contains("must be specified for an update"), "\(refused.text)")
        lease["metadata", "resourceVersion"] = .string(version)
        #expect(try await cluster.call(.put, path + "/gate", lease).status == 200)
        #expect(try await cluster.call(.put, path + "/gate", lease).status == 409)
        // An update of what is gone is refused if it names the identity that is gone; else it makes the lease anew.
        _ = try await cluster.call(.delete, path + "/gate")
        let gone = try await cluster.call(.put, path + "/gate", lease)
        #expect(gone.status == 409 && gone.reason == "Conflict", "\(gone.text)")
        lease["metadata", "uid"] = nil
        let back = try await cluster.call(.put, path + "/gate", lease)
        #expect(back.status == 201, "\(back.text)")
        let unversioned: HarnessJSON = ["metadata": ["name": "other"], "spec": ["holderIdentity": "one"]]
        let fresh = try await cluster.call(.put, path + "/other", unversioned)
        #expect(fresh.status == 201, "\(fresh.text)")
        let map = try await cluster.call(
            .put, "/api/v1/namespaces/\(namespace)/configmaps/other", ["metadata": ["name": "other"]])
        #expect(map.status == 404, "\(map.text)")
    }

    @Test("Status and the rest are written by paths of their own") func status() async throws {
        let cluster = try await TestCluster.shared()
        let made = try await cluster.node()
        let path = TestCluster.nodes + "/" + made.name
        let condition: HarnessJSON = [
            "type": "CarnetAttested", "status": "True", "reason": "Attested", "message": "fine",
            "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
        ]
        let patch: HarnessJSON = [
            "spec": ["unschedulable": true], "status": ["conditions": [condition]],
        ]
        let plain = try await cluster.call(.patch, path, patch).json
        #expect(plain["spec"]?["unschedulable"] == true && plain.conditionTypes == [])
        let other: HarnessJSON = ["spec": ["unschedulable": .null], "status": ["conditions": [condition]]]
        let status = try await cluster.call(.patch, path + "/status", other).json
        #expect(status["spec"]?["unschedulable"] == true && status["status"]?["conditions"] == [condition])
    }

    @Test("A merge patch replaces, adds and removes, and may name the version it is for") func patches() async throws {
        let cluster = try await TestCluster.shared()
        let made = try await cluster.node(labels: ["keep": "1", "drop": "1"])
        let path = TestCluster.nodes + "/" + made.name
        let patch: HarnessJSON = [
            "metadata": ["resourceVersion": .string(made.version), "labels": ["drop": .null, "new": "1"]],
            "spec": ["taints": [["key": "carnet.dev/unattested", "value": "lapsed", "effect": "NoSchedule"]]],
        ]
        let answer = try await cluster.call(.patch, path, patch), patched = try answer.json
        #expect(answer.status == 200, "\(answer.text)")
        #expect(patched["metadata"]?["labels"] == ["keep": "1", "new": "1"])
        #expect(
            patched["spec"]?["taints"]
                == [["key": "carnet.dev/unattested", "value": "lapsed", "effect": "NoSchedule"]])
        let late = try await cluster.call(.patch, path, patch)
        #expect(late.status == 409 && late.reason == "Conflict")
        let other = try await cluster.call(.patch, path, patch, type: "application/x-patch")
        #expect(other.status == 415 && other.reason == "UnsupportedMediaType")
    }

    @Test("A strategic merge patch changes one condition, and needs no version") func conditions() async throws {
        let cluster = try await TestCluster.shared()
        let path = TestCluster.nodes + "/" + (try await cluster.node()).name + "/status"
        func patch(_ type: HarnessJSON, _ status: HarnessJSON) async throws -> [HarnessJSON] {
            let condition: HarnessJSON = ["type": type, "status": status, "reason": "Said", "message": "m"]
            let answer = try await cluster.call(
                .patch, path, ["status": ["conditions": [condition]]], type: "application/strategic-merge-patch+json")
            #expect(answer.status == 200, "\(answer.text)")
            let conditions = try answer.json["status"]?["conditions"]?.elements ?? []
            return conditions.filter { ["Ready", "CarnetAttested"].contains($0["type"]?.string) }.sorted {
                $0["type"]?.string ?? "" < $1["type"]?.string ?? ""
            }
        }
        _ = try await patch("Ready", "True")
        #expect(try await patch("CarnetAttested", "False").compactMap { $0["status"]?.string } == ["False", "True"])
        #expect(try await patch("CarnetAttested", "True").compactMap { $0["status"]?.string } == ["True", "True"])
        #expect(try await patch("Ready", "False").compactMap { $0["status"]?.string } == ["True", "False"])
    }

    @Test("A deletion tells what was deleted, and may name whom it means") func deletes() async throws {
        let cluster = try await TestCluster.shared()
        let made = try await cluster.node()
        let path = TestCluster.nodes + "/" + made.name
        let wrong = try await cluster.call(
            .delete, path, ["preconditions": ["uid": "00000000-0000-4000-8000-000000000000"]])
        #expect(wrong.status == 409 && wrong.reason == "Conflict")
        let deleted = try await cluster.call(.delete, path).json
        #expect(deleted["kind"] == "Status" && deleted["status"] == "Success")
        #expect(
            deleted["details"]
                == ["name": .string(made.name), "kind": "nodes", "uid": made["metadata"]?["uid"] ?? .null])
        #expect(try await cluster.call(.get, path).status == 404)
    }

    @Test("What a field may not hold is refused with the field's name") func invalid() async throws {
        let cluster = try await TestCluster.shared()
        let taint: HarnessJSON = ["key": "carnet.dev/unattested", "effect": "NoSchedule"]
        let nodes: [(object: HarnessJSON, field: String)] = [
            (["metadata": ["name": "Not_A_Name"]], "metadata.name"),
            (["metadata": ["name": "x", "labels": ["a": "not a value"]]], "metadata.labels"),
            (["metadata": ["name": "x", "labels": ["-bad": "1"]]], "metadata.labels"),
            (["metadata": ["name": "x", "annotations": ["a/b/c": "1"]]], "metadata.annotations"),
            (["metadata": ["name": "x"], "spec": ["taints": [["key": "a", "effect": "Never"]]]], "effect"),
            (["metadata": ["name": "x"], "spec": ["taints": [["key": "a"]]]], "effect"),
            (["metadata": ["name": "x"], "spec": ["taints": [taint, taint]]], "taints[1]"),
            (
                [
                    "metadata": [
                        "name": "x",
                        "annotations": ["carnet.dev/passport": .string(String(repeating: "a", count: 262_144))],
                    ]
                ], "metadata.annotations"
            ),
        ]
        for (object, field) in nodes {
            let answer = try await cluster.call(.post, TestCluster.nodes, object)
            #expect(answer.status == 422 && answer.reason == "Invalid", "\(field) \(answer.text.prefix(300))")
            #expect(answer.message.contains(field), "\(answer.message.prefix(300))")
        }
        let pod = try await cluster.call(.post, TestCluster.nodes, ["kind": "Lease", "apiVersion": "v1"])
        #expect(pod.status == 400, "\(pod.text)")
        let versioned = try await cluster.call(
            .post, TestCluster.nodes, ["metadata": ["name": "x", "resourceVersion": "5"]])
        #expect(versioned.status == 500)
    }

    @Test("An event about a node lies in the namespace default") func events() async throws {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace()
        let event: HarnessJSON = [
            "metadata": ["generateName": "carnet-"], "reason": "NotAttested", "type": "Warning", "message": "…",
            "involvedObject": ["kind": "Node", "name": "node-1", "apiVersion": "v1"],
        ]
        let refused = try await cluster.call(.post, "/api/v1/namespaces/\(namespace)/events", event)
        #expect(refused.status == 422 && refused.message.contains("does not match event.namespace"), "\(refused.text)")
        #expect(try await cluster.call(.post, "/api/v1/namespaces/default/events", event).status == 201)
    }

    @Test("Objects are made in namespaces that exist, and in the one of the path") func namespaces() async throws {
        let cluster = try await TestCluster.shared()
        let map: HarnessJSON = ["metadata": ["name": "a"], "data": ["b": "c"]]
        let missing = try await cluster.call(.post, "/api/v1/namespaces/no-such-namespace/configmaps", map)
        #expect(
            missing.status == 404 && missing.message == "namespaces \"no-such-namespace\" not found", "\(missing.text)")
        var other = map
        other["metadata", "namespace"] = "default"
        let namespace = try await cluster.namespace()
        let mismatched = try await cluster.call(.post, "/api/v1/namespaces/\(namespace)/configmaps", other)
        #expect(mismatched.status == 400 && mismatched.reason == "BadRequest")
        #expect(try await cluster.call(.post, "/api/v1/configmaps", map).status == 405)
    }

    @Test("What would be created can be asked without creating it") func dryRun() async throws {
        let cluster = try await TestCluster.shared()
        let name = TestCluster.fresh("node")
        let object: HarnessJSON = ["metadata": ["name": .string(name)]]
        #expect(try await cluster.call(.post, TestCluster.nodes + "?dryRun=All", object).status == 201)
        #expect(try await cluster.call(.get, TestCluster.nodes + "/" + name).status == 404)
    }
}
