import Cryptography
import Foundation
import HTTPTypes
import KubernetesHarness
import Testing

/// Validating webhooks: the same on the double and on the real server. One cluster for all, since a webhook concerns everybody in it.
@Suite(.timeLimit(.minutes(5))) struct WebhookTests {
    private static let path =
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"

    private static func configuration(
        _ cluster: TestCluster, _ url: String, policy: String = "Fail", rules: HarnessJSON? = nil,
        selector: HarnessJSON = [:]
    ) -> HarnessJSON {
        let authority = Data(cluster.authority.certificate.utf8).base64EncodedString()
        let rule: HarnessJSON = [
            "operations": ["CREATE", "UPDATE", "DELETE"], "apiGroups": [""], "apiVersions": ["v1"],
            "resources": ["nodes", "nodes/status"],
        ]
        return [
            "metadata": ["name": "carnet-admission"],
            "webhooks": [
                [
                    "name": "nodes.carnet.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                    "failurePolicy": .string(policy), "timeoutSeconds": 2, "rules": rules ?? [rule],
                    "objectSelector": selector,
                    "clientConfig": ["url": .string(url), "caBundle": .string(authority)],
                ]
            ],
        ]
    }

    /// Installs a configuration and waits until it counts: until a node of this name is refused.
    private func install(_ cluster: TestCluster, _ object: HarnessJSON) async throws {
        let answer = try await cluster.call(.post, Self.path, object)
        #expect(answer.status == 201, "\(answer.text)")
        #expect(try answer.json["metadata"]?["generation"] == 1)
    }

    @Test("A webhook sees what is about to happen, and its word counts") func asked() async throws {
        try await TestCluster.with { cluster in
            let webhook = ScriptedWebhook()
            webhook.answers { request in
                let labels = request["object"]?["metadata"]?["labels"]
                if request["object"]?["metadata"]?["name"] == "denied" {
                    return [
                        "allowed": false, "status": ["code": 403, "reason": "Forbidden", "message": "not attested"],
                    ]
                }
                if labels?["silent"] != nil { return ["allowed": false] }
                return ["allowed": true, "warnings": ["the verifier is \"away\""]]
            }
            try await webhook.run(cluster) { url in
                try await install(cluster, Self.configuration(cluster, url))
                let denied: HarnessJSON = ["metadata": ["name": "denied"]]
                #expect(
                    try await cluster.comes {
                        try await cluster.call(.post, TestCluster.nodes + "?dryRun=All", denied).status == 403
                    })
                let refused = try await cluster.call(.post, TestCluster.nodes, denied)
                #expect(refused.status == 403 && refused.reason == "Forbidden")
                #expect(refused.message == "admission webhook \"nodes.carnet.dev\" denied the request: not attested")
                #expect(try await cluster.call(.get, TestCluster.nodes + "/denied").status == 404)

                let made = try await cluster.call(
                    .post, TestCluster.nodes, ["metadata": ["name": "node-1"]], as: .node("node-1"))
                #expect(made.status == 201, "\(made.text)")
                #expect(made.headers["warning"] == #"299 - "the verifier is \"away\"""#)
                let path = TestCluster.nodes + "/node-1"
                let silent = try await cluster.call(.patch, path, ["metadata": ["labels": ["silent": "1"]]])
                #expect(silent.status == 400)
                #expect(
                    silent.message == "admission webhook \"nodes.carnet.dev\" denied the request without explanation")
                _ = try await cluster.call(.patch, path + "/status", ["status": ["phase": "Running"]])
                #expect(try await cluster.call(.delete, path).status == 200)

                let reviews = webhook.reviews
                let creation = try #require(reviews.first { $0["name"] == "node-1" })
                #expect(creation["operation"] == "CREATE" && creation["dryRun"] == false)
                #expect(creation["userInfo"]?["username"] == "system:node:node-1")
                #expect(creation["userInfo"]?["groups"] == ["system:nodes", "system:authenticated"])
                #expect(creation["object"]?["kind"] == "Node" && creation["object"]?["apiVersion"] == "v1")
                #expect(creation["oldObject"]?.isNull != false)
                #expect(creation["kind"] == ["group": "", "version": "v1", "kind": "Node"])
                #expect(creation["resource"] == ["group": "", "version": "v1", "resource": "nodes"])
                let update = try #require(reviews.first { $0["operation"] == "UPDATE" && $0["subResource"] == nil })
                #expect(update["object"]?["metadata"]?["labels"]?["silent"] == "1")
                #expect(update["oldObject"]?.name == "node-1")
                #expect(reviews.contains { $0["operation"] == "UPDATE" && $0["subResource"] == "status" })
                let deletion = try #require(reviews.last)
                #expect(deletion["operation"] == "DELETE" && deletion["oldObject"]?.name == "node-1")
                #expect(deletion["object"]?.isNull != false)
            }
        }
    }

    @Test("A webhook for approvals sees approvals, and nothing else") func approvals() async throws {
        try await TestCluster.with { cluster in
            let webhook = ScriptedWebhook()
            webhook.answers { _ in ["allowed": false, "status": ["message": "only the gate approves"]] }
            let rules: HarnessJSON = [
                [
                    "operations": ["UPDATE"], "apiGroups": ["certificates.k8s.io"], "apiVersions": ["v1"],
                    "resources": ["certificatesigningrequests/approval"],
                ]
            ]
            try await webhook.run(cluster) { url in
                try await install(cluster, Self.configuration(cluster, url, rules: rules))
                let pem = try CertificationRequest.make("system:node:a", for: PrivateKey.generate())
                let object = CertificationRequest.object("csr-1", pem)
                let created = try await cluster.call(.post, TestCluster.requests, object)
                #expect(created.status == 201, "\(created.text)")
                let path = TestCluster.requests + "/csr-1"
                let note: HarnessJSON = ["metadata": ["annotations": ["a": "b"]]]
                #expect(try await cluster.call(.patch, path, note).status == 200)
                let approval: HarnessJSON = [
                    "status": ["conditions": [["type": "Approved", "status": "True", "reason": "Because"]]]
                ]
                #expect(
                    try await cluster.comes {
                        let answer = try await cluster.call(.patch, path + "/approval?dryRun=All", approval)
                        return answer.message.contains("only the gate approves")
                    })
                #expect(try await cluster.call(.patch, path + "/approval", approval).status == 400)
                let review = try #require(webhook.reviews.last)
                #expect(review["subResource"] == "approval" && review["object"]?.conditionTypes == ["Approved"])
                #expect(webhook.reviews.allSatisfy { $0["subResource"] == "approval" })
                #expect(try await cluster.call(.get, path).json.conditionTypes == [])
            }
        }
    }

    @Test("A webhook that does not answer stops what it must see, and lets go what it may miss") func away()
        async throws
    {
        try await TestCluster.with { cluster in
            let nobody = "https://127.0.0.1:9/validate"
            let selector: HarnessJSON = ["matchLabels": ["watched": "yes"]]
            try await install(cluster, Self.configuration(cluster, nobody, selector: selector))
            func node(_ name: String, _ labels: HarnessJSON) -> HarnessJSON {
                ["metadata": ["name": .string(name), "labels": labels]]
            }
            let watched = node("a", ["watched": "yes"])
            #expect(
                try await cluster.comes {
                    try await cluster.call(.post, TestCluster.nodes + "?dryRun=All", watched).status == 500
                })
            let refused = try await cluster.call(.post, TestCluster.nodes, watched)
            #expect(refused.status == 500 && refused.reason == "InternalError")
            #expect(
                refused.message.hasPrefix(
                    "Internal error occurred: failed calling webhook \"nodes.carnet.dev\":"), "\(refused.message)")
            #expect(try await cluster.call(.post, TestCluster.nodes, node("b", [:])).status == 201)
            let path = Self.path + "/carnet-admission"
            var object = try await cluster.call(.get, path).json
            var hook = try #require(object["webhooks"]?.elements.first)
            hook["failurePolicy"] = "Ignore"
            object["webhooks"] = [hook]
            let updated = try await cluster.call(.put, path, object)
            #expect(updated.status == 200, "\(updated.text)")
            #expect(try updated.json["metadata"]?["generation"] == 2)
            #expect(
                try await cluster.comes {
                    try await cluster.call(.post, TestCluster.nodes, watched).status == 201
                })
        }
    }

    @Test("A configuration that cannot be meant is refused") func invalid() async throws {
        let cluster = try await TestCluster.shared()
        let good = Self.configuration(cluster, "https://127.0.0.1:9/validate")
        let spoiled: [(field: String, value: HarnessJSON?)] = [
            ("name", "nodes"), ("sideEffects", nil), ("admissionReviewVersions", []), ("timeoutSeconds", 31),
            ("clientConfig", ["url": "http://127.0.0.1/"]), ("clientConfig", [:]),
        ]
        for (field, value) in spoiled {
            var object = good
            var hook = try #require(good["webhooks"]?.elements.first)
            hook[field] = value
            object["webhooks"] = [hook]
            let answer = try await cluster.call(.post, Self.path + "?dryRun=All", object)
            #expect(answer.status == 422 && answer.message.contains("webhooks[0]." + field), "\(field) \(answer.text)")
        }
    }
}
