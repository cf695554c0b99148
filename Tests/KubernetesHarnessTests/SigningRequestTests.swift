import Cryptography
import Foundation
import HTTPTypes
import KubernetesHarness
import Testing

/// Certificate signing requests: the same on the double and on the real server, but for what release 1.20 did not have.
@Suite struct SigningRequestTests {
    private static let client = "kubernetes.io/kube-apiserver-client-kubelet"

    /// Makes a request for a node as somebody, and returns the object.
    private func make(
        _ cluster: TestCluster, _ name: String = TestCluster.fresh("csr"), node: String = TestCluster.fresh("node"),
        as user: ClusterUser = .bootstrap, _ change: (inout HarnessJSON) -> Void = { _ in }
    ) async throws -> ClusterAnswer {
        let pem = try CertificationRequest.make("system:node:" + node, for: PrivateKey.generate())
        var object = CertificationRequest.object(name, pem)
        change(&object)
        return try await cluster.call(.post, TestCluster.requests, object, as: user)
    }

    private static func decided(_ object: HarnessJSON, _ type: String, status: String = "True") -> HarnessJSON {
        var object = object
        let condition: HarnessJSON = [
            "type": .string(type), "status": .string(status), "reason": "Tested", "message": "because",
        ]
        object["status", "conditions"] = .array((object["status"]?["conditions"]?.elements ?? []) + [condition])
        return object
    }

    @Test("Who asks is the caller, whatever the object says, and nothing is decided") func creates() async throws {
        let cluster = try await TestCluster.shared()
        let answer = try await make(cluster) { object in
            object["spec", "username"] = "system:node:other"
            object["spec", "groups"] = ["system:masters"]
            object["spec", "uid"] = "me"
            object["status"] = ["conditions": [["type": "Approved", "status": "True"]]]
        }
        let made = try answer.json
        #expect(answer.status == 201, "\(answer.text)")
        #expect(made["spec"]?["username"] == "system:bootstrap:carnet")
        #expect(made["spec"]?["groups"] == ["system:bootstrappers", "system:authenticated"])
        #expect(made["spec"]?["uid"] != "me")
        #expect(made.conditionTypes == [])
        #expect(try await make(cluster, as: .stranger).status == 403)
    }

    @Test("What is no request is refused, with the field's name") func invalid() async throws {
        let cluster = try await TestCluster.shared()
        let key = try PrivateKey.generate()
        let good = try CertificationRequest.make("system:node:a", for: key)
        var der = try #require(PEMText.first(in: Array(good.utf8))).bytes
        der[der.count - 1] ^= 1
        let forged = PEMText.encode("CERTIFICATE REQUEST", der)
        let texts = [
            "", "nothing", PEMText.encode("CERTIFICATE", der), PEMText.encode("CERTIFICATE REQUEST", [1, 2, 3]), forged,
            PEMText.encode("CARNET PASSPORT", [1, 2, 3]) + good,
        ]
        for text in texts {
            let answer = try await make(cluster) {
                $0["spec", "request"] = .string(Data(text.utf8).base64EncodedString())
            }
            #expect(answer.status == 422 && answer.message.contains("spec.request"), "\(text) \(answer.text)")
        }
        let fields: [(field: String, value: HarnessJSON)] = [
            ("usages", []), ("usages", ["client auth", "client auth"]), ("usages", ["flying"]), ("signerName", ""),
            ("signerName", "kubernetes.io/legacy-unknown"), ("signerName", "nodomain"), ("signerName", "a.b/c/d"),
        ]
        for (field, value) in fields {
            let answer = try await make(cluster) { $0["spec", field] = value }
            #expect(answer.status == 422 && answer.message.contains("spec." + field), "\(field) \(answer.text)")
        }
    }

    @Test("A block after the request, and words before it, are nobody's business") func trailing() async throws {
        let cluster = try await TestCluster.shared()
        let pem = try CertificationRequest.make("system:node:a", for: PrivateKey.generate())
        let text = "Words.\n" + pem + PEMText.encode("CARNET PASSPORT", Array("abc".utf8))
        let encoded = Data(text.utf8).base64EncodedString()
        let answer = try await make(cluster) { $0["spec", "request"] = .string(encoded) }
        #expect(answer.status == 201, "\(answer.text)")
        #expect(try answer.json["spec"]?["request"]?.string == encoded)
    }

    @Test("What was asked for stays as it was asked") func immutable() async throws {
        let cluster = try await TestCluster.shared()
        let made = try await make(cluster).json, path = TestCluster.requests + "/" + made.name
        var changed = Self.decided(made, "Noted")
        changed["spec", "signerName"] = "kubernetes.io/kubelet-serving"
        changed["spec", "usages"] = ["server auth"]
        changed["metadata", "annotations"] = ["note": "kept"]
        let answer = try await cluster.call(.put, path, changed)
        #expect(answer.status == 200, "\(answer.text)")
        let now = try await cluster.call(.get, path).json
        #expect(now["spec"] == made["spec"] && now.conditionTypes == [])
        #expect(now["metadata"]?["annotations"] == ["note": "kept"])
        let approval = try await cluster.call(.patch, path + "/approval", ["spec": ["usages": ["server auth"]]])
        #expect(approval.status == 200, "\(approval.text)")
        #expect(try approval.json["spec"] == made["spec"])
    }

    @Test("Only the path for it decides, once, and one way") func decides() async throws {
        let cluster = try await TestCluster.shared()
        var made = try await make(cluster).json
        let path = TestCluster.requests + "/" + made.name, first = made.version
        made["metadata", "resourceVersion"] = nil
        #expect(try await cluster.call(.put, path, Self.decided(made, "Approved")).json.conditionTypes == [])
        let status = try await cluster.call(.put, path + "/status", Self.decided(made, "Approved"))
        #expect(
            status.status == 422 && status.message.contains("may not add a condition of type \"Approved\""),
            "\(status.text)")
        for value in ["False", "Unknown", "", "Perhaps"] {
            let answer = try await cluster.call(.put, path + "/approval", Self.decided(made, "Denied", status: value))
            #expect(answer.status == 422 && answer.message.contains("status"), "\(value) \(answer.text)")
        }
        let both = Self.decided(Self.decided(made, "Denied"), "Approved")
        let contrary = try await cluster.call(.put, path + "/approval", both)
        #expect(contrary.status == 422 && contrary.message.contains("mutually exclusive"), "\(contrary.text)")

        let denied = try await cluster.call(.put, path + "/approval", Self.decided(made, "Denied"))
        let object = try denied.json
        #expect(denied.status == 200 && object.conditionTypes == ["Denied"], "\(denied.text)")
        let condition = object["status"]?["conditions"]?.elements.first
        #expect(condition?["reason"] == "Tested" && condition?["message"] == "because")
        #expect(condition?["lastUpdateTime"]?.string != nil && condition?["lastTransitionTime"]?.string != nil)
        var undone = object
        undone["status", "conditions"] = []
        let taken = try await cluster.call(.put, path + "/approval", undone)
        #expect(taken.status == 422 && taken.message.contains("may not remove a condition"), "\(taken.text)")
        let twice = try await cluster.call(.put, path + "/approval", Self.decided(object, "Denied"))
        #expect(twice.status == 422 && twice.message.contains("Duplicate"), "\(twice.text)")
        made["metadata", "resourceVersion"] = .string(first)
        let old = try await cluster.call(.put, path + "/approval", Self.decided(made, "Denied"))
        #expect(old.status == 409, "\(old.text)")
        let certified = try await cluster.call(
            .patch, path + "/approval", ["status": ["certificate": "QQ=="]])
        #expect(try await cluster.call(.get, path).json["status"]?["certificate"] == nil, "\(certified.text)")
    }

    @Test("To approve takes the right to approve, and the right to do so for the signer") func rights() async throws {
        let cluster = try await TestCluster.shared()
        let name = TestCluster.fresh("approver"), user = ClusterUser.certified(name)
        let made = try await make(cluster).json
        let path = TestCluster.requests + "/\(made.name)/approval"
        #expect(try await cluster.call(.put, path, Self.decided(made, "Approved"), as: user).status == 403)
        let first: HarnessJSON = [
            "verbs": ["update"], "apiGroups": ["certificates.k8s.io"],
            "resources": ["certificatesigningrequests/approval"],
        ]
        try await cluster.bind(name, rules: [first], to: name)
        #expect(try await cluster.becomesKnown(user, verb: "update", rule: first))
        let refused = try await cluster.call(.put, path, Self.decided(made, "Approved"), as: user)
        #expect(
            refused.status == 403
                && refused.message.contains(
                    "user not permitted to approve requests with signerName \"\(Self.client)\""),
            "\(refused.text)")
        let second: HarnessJSON = [
            "verbs": ["approve"], "apiGroups": ["certificates.k8s.io"], "resources": ["signers"],
            "resourceNames": [.string(Self.client)],
        ]
        try await cluster.bind(name + "-2", rules: [second], to: name)
        #expect(
            try await cluster.comes {
                try await cluster.call(.put, path, Self.decided(made, "Approved"), as: user).status == 200
            })
        let serving = try await make(cluster) {
            $0["spec", "signerName"] = "kubernetes.io/kubelet-serving"
        }.json
        let other = try await cluster.call(
            .put, TestCluster.requests + "/\(serving.name)/approval", Self.decided(serving, "Approved"), as: user)
        #expect(other.status == 403, "\(other.text)")
    }

    @Test("An approved request is signed, and its certificate is the node's") func signs() async throws {
        let cluster = try await TestCluster.shared()
        let node = TestCluster.fresh("node")
        let made = try await make(cluster, node: node).json
        let path = TestCluster.requests + "/" + made.name
        #expect(try await cluster.call(.put, path + "/approval", Self.decided(made, "Approved")).status == 200)
        let pem = try #require(await cluster.certificate(of: made.name))
        let subject = try CertificateSubject(pem: pem)
        #expect(subject.commonName == "system:node:" + node && subject.organizations == ["system:nodes"])
        let signed = try await cluster.call(.get, path).json
        #expect(signed.conditionTypes == ["Approved"])
    }

    @Test("A life that is asked for counts where the release knows it, and is dropped where it does not") func life()
        async throws
    {
        let cluster = try await TestCluster.shared()
        let now = Int64(Date.now.timeIntervalSince1970)
        let answer = try await make(cluster) { $0["spec", "expirationSeconds"] = 3600 }
        let made = try answer.json
        #expect(answer.status == 201)
        let short = try await make(cluster) { $0["spec", "expirationSeconds"] = 599 }
        _ = try await cluster.call(
            .put, TestCluster.requests + "/\(made.name)/approval", Self.decided(made, "Approved"))
        let pem = try #require(await cluster.certificate(of: made.name))
        let life = try CertificateSubject(pem: pem).expiresAt - now
        // Release 1.20, which Debian 12 has: the field came with 1.22.
        if TestCluster.isReal {
            #expect(made["spec"]?["expirationSeconds"] == nil && short.status == 201)
            #expect(life > 80_000)
        } else {
            #expect(made["spec"]?["expirationSeconds"] == 3600)
            #expect(short.status == 422 && short.message.contains("spec.expirationSeconds"))
            #expect((3000...3700).contains(life))
        }
    }

    @Test("What the signer cannot sign fails, with its words") func fails() async throws {
        let cluster = try await TestCluster.shared()
        let cases: [(name: String, organizations: [String], names: String?, usages: [String], signer: String)] = [
            ("system:node:a", ["system:nodes"], nil, ["client auth"], Self.client),
            (
                "system:node:a", ["system:masters"], nil, ["digital signature", "key encipherment", "client auth"],
                Self.client
            ),
            ("anna", ["system:nodes"], nil, ["digital signature", "key encipherment", "client auth"], Self.client),
            (
                "system:node:a", ["system:nodes"], "DNS:a",
                ["digital signature", "key encipherment", "client auth"], Self.client
            ),
            (
                "system:node:a", ["system:nodes"], nil, ["digital signature", "key encipherment", "server auth"],
                "kubernetes.io/kubelet-serving"
            ),
        ]
        for (name, organizations, names, usages, signer) in cases {
            let pem = try CertificationRequest.make(
                name, organizations: organizations, names: names, for: PrivateKey.generate())
            let object = CertificationRequest.object(TestCluster.fresh("csr"), pem, signer: signer, usages: usages)
            let made = try await cluster.call(.post, TestCluster.requests, object).json
            let path = TestCluster.requests + "/" + made.name
            _ = try await cluster.call(.put, path + "/approval", Self.decided(made, "Approved"))
            #expect(
                try await cluster.comes {
                    try await cluster.call(.get, path).json.conditionTypes == ["Approved", "Failed"]
                }, "\(name) \(organizations) \(names ?? "") \(usages)")
        }
    }

    @Test("A serving certificate has the names that were asked for") func serving() async throws {
        let cluster = try await TestCluster.shared()
        let pem = try CertificationRequest.make(
            "system:node:a", names: "DNS:a.example,IP:10.0.0.1", for: PrivateKey.generate())
        let object = CertificationRequest.object(
            TestCluster.fresh("csr"), pem, signer: "kubernetes.io/kubelet-serving",
            usages: ["digital signature", "key encipherment", "server auth"])
        let made = try await cluster.call(.post, TestCluster.requests, object, as: .node("a")).json
        #expect(made["spec"]?["username"] == "system:node:a")
        _ = try await cluster.call(
            .put, TestCluster.requests + "/\(made.name)/approval", Self.decided(made, "Approved"))
        let signed = try #require(await cluster.certificate(of: made.name))
        let certificate = try #require(try Certificate.parsePEM(Array(signed.utf8)).first)
        #expect(certificate.alternativeNames == [.dns("a.example")])
        #expect(certificate.extendedKeyUsages == ["1.3.6.1.5.5.7.3.1"])
    }
}
