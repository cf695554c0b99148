import CarnetAdmission
import CarnetResult
import Cryptography
import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import NodeAdmission
import ServiceHarness
import Testing
import VerifierHarness

/// Who gets a node's certificate, and who does not, whatever is tried. The machines node-a and node-b are attested; the cluster's API is the
/// double's, or the real server's.
@Suite("Approver", .serialized, .timeLimit(.minutes(10))) struct ApproverTests {
    private static let approverOnly: @Sendable (inout AdmissionConfiguration) -> Void = { $0.gates = [.approver] }

    @Test("An attested machine gets its certificate, with a bootstrap token first and with its own certificate then")
    func approved() async throws {
        try await GateScene.with { scene in
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                let text = try scene.text("node-a", showing: scene.passport("node-a"))
                #expect(try await scene.ask("first", text).status == 201)
                #expect(try await scene.comes("first", GateScene.approved))
                let renewal = try scene.text("node-a", showing: scene.passport("node-a"))
                #expect(try await scene.ask("renewal", renewal, by: .node("node-a")).status == 201)
                #expect(try await scene.comes("renewal", GateScene.approved))
                #expect(
                    try await eventually {
                        try await scene.cluster.call(.get, GateScene.requests + "/first").json["status"]?[
                            "certificate"] != nil
                    })
            }
        }
    }

    @Test("Every way around an attestation is denied, with a reason") func denied() async throws {
        try await GateScene.with { scene in
            let passport = { (node: String) in try scene.passport(node) }
            let stranger = try PrivateKey.generate()
            let requests: [(name: String, text: String, user: ClusterUser, life: Int64?, reason: String)] = [
                ("stolen-token", try scene.text("node-a", showing: nil), .bootstrap, 3600, "PassportMissing"),
                ("renewal-without", try scene.text("node-a", showing: nil), .node("node-a"), 3600, "PassportMissing"),
                (
                    "anothers-name", try scene.text("node-b", showing: passport("node-a")), .bootstrap, 3600,
                    "MachineIsAnotherNode"
                ),
                (
                    "anothers-kubelet", try scene.text("node-b", showing: passport("node-b")), .node("node-a"), 3600,
                    "RequesterIsAnotherNode"
                ),
                (
                    "extra-group",
                    try scene.text(
                        "node-a", showing: passport("node-a"), organizations: ["system:nodes", "system:masters"]),
                    .bootstrap, 3600, "SubjectNotAllowed"
                ),
                (
                    "extra-name",
                    try scene.text("node-a", showing: passport("node-a"), names: .init(dns: ["api.cluster.local"])),
                    .bootstrap, 3600, "AlternativeNamesNotAllowed"
                ),
                (
                    "anothers-key", try scene.text("node-a", showing: passport("node-a"), by: stranger), .bootstrap,
                    3600, "KeyNotAttested"
                ),
                (
                    "other-cluster",
                    try scene.text(
                        "node-a", showing: scene.passport("node-a", audience: "https://cluster-b.example")),
                    .bootstrap, 3600, "PassportAudience"
                ),
                (
                    "bad-machine",
                    try scene.text("node-a", showing: scene.passport("node-a", status: .contraindicated)), .bootstrap,
                    3600, "PassportTier"
                ),
                (
                    "old-passport", try scene.text("node-a", showing: scene.passport("node-a", age: 400)), .bootstrap,
                    3600, "PassportExpired"
                ),
                ("a-year", try scene.text("node-a", showing: passport("node-a")), .bootstrap, 86_400, "LifeNotAllowed"),
                (
                    "unsaid-life", try scene.text("node-a", showing: passport("node-a")), .bootstrap, nil,
                    "LifeNotAllowed"
                ),
            ]
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                for request in requests where !TestCluster.isReal || request.reason != "LifeNotAllowed" {
                    let made = try await scene.ask(request.name, request.text, by: request.user, life: request.life)
                    // The API server itself takes all of them.
                    #expect(made.status == 201, "\(request.name): \(made.text)")
                    let comes = try await scene.comes(request.name, "Denied " + request.reason)
                    let said = try await scene.said(request.name)
                    #expect(comes, "\(request.name): \(said)")
                }
            }
            // Nothing of a passport is told to anybody.
            let token = String(decoding: try passport("node-a"), as: UTF8.self).prefix(40)
            #expect(!scene.log.text.contains { $0.contains(token) })
        }
    }

    @Test("A passport serves one request, also for the next leader; a request that was denied uses nothing up")
    func replay() async throws {
        try await GateScene.with { scene in
            let passport = try scene.passport("node-a"), stranger = try PrivateKey.generate()
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                try await scene.ask("thief", try scene.text("node-a", showing: passport, by: stranger))
                #expect(try await scene.comes("thief", "Denied KeyNotAttested"))
                try await scene.ask("first", try scene.text("node-a", showing: passport))
                #expect(try await scene.comes("first", GateScene.approved))
                try await scene.ask("second", try scene.text("node-a", showing: passport))
                #expect(try await scene.comes("second", "Denied PassportUsed"))
            }
            try await scene.gate("two", Self.approverOnly) { (_: ServiceClient) async throws in
                try await scene.ask("third", try scene.text("node-a", showing: passport))
                #expect(try await scene.comes("third", "Denied PassportUsed"))
            }
        }
    }

    @Test("Two requests with one passport at the same time: one is approved") func race() async throws {
        try await GateScene.with { scene in
            let passport = try scene.passport("node-a"), names = (0..<12).map { "twin-\($0)" }
            for name in names { try await scene.ask(name, try scene.text("node-a", showing: passport)) }
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                #expect(try await eventually { try await names.asyncMap(scene.said).allSatisfy { !$0.isEmpty } })
                let said = try await names.asyncMap(scene.said)
                #expect(said.count { $0 == GateScene.approved } == 1)
                #expect(said.count { $0 == "Denied PassportUsed" } == 11)
            }
        }
    }

    @Test("Other signers' requests, and those that somebody decided, are left alone") func others() async throws {
        try await GateScene.with { scene in
            let pem = try scene.text("node-a", showing: nil)
            let other = try await scene.cluster.call(
                .post, GateScene.requests,
                [
                    "metadata": ["name": "other"],
                    "spec": [
                        "signerName": "example.org/other", "usages": ["client auth"],
                        "request": .string(Data(pem.utf8).base64EncodedString()),
                    ],
                ])
            #expect(other.status == 201, "\(other.text)")
            try await scene.ask("decided", pem)
            let path = GateScene.requests + "/decided"
            var object = try await scene.cluster.call(.get, path).json
            object["status"] = ["conditions": [["type": "Denied", "status": "True", "reason": "ByHand"]]]
            #expect(try await scene.cluster.call(.put, path + "/approval", object).status == 200)
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                try await scene.ask("mine", try scene.text("node-a", showing: scene.passport("node-a")))
                #expect(try await scene.comes("mine", GateScene.approved))
                #expect(try await scene.said("other").isEmpty)
                #expect(try await scene.said("decided") == "Denied ByHand")
            }
        }
    }

    @Test("A kubelet's serving certificate names its own addresses, and nobody else's") func serving() async throws {
        try await GateScene.with { scene in
            for (node, address) in [("node-a", "10.0.0.1"), ("node-b", "10.0.0.2")] {
                try await scene.makeNode(node)
                _ = try await scene.cluster.call(
                    .patch, GateScene.nodes + "/\(node)/status",
                    ["status": ["addresses": [["type": "InternalIP", "address": .string(address)]]]])
            }
            let text: @Sendable ([UInt8]) throws -> String = { bytes in
                try scene.text(
                    "node-a", showing: scene.passport("node-a"), names: .init(dns: ["node-a"], addresses: [bytes]))
            }
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                try await scene.ask("own", text([10, 0, 0, 1]), by: .node("node-a"), signer: .kubeletServing)
                #expect(try await scene.comes("own", GateScene.approved))
                try await scene.ask("others", text([10, 0, 0, 2]), by: .node("node-a"), signer: .kubeletServing)
                // Either of the two nodes may lie: people are told, and nothing is signed.
                #expect(
                    try await eventually {
                        let events = try await scene.cluster.call(.get, "/api/v1/namespaces/default/events").json
                        return (events["items"]?.elements ?? []).contains {
                            $0["reason"]?.string == "AddressIsAnothers"
                        }
                    })
                #expect(try await scene.said("others").isEmpty)
            }
        }
    }

    @Test("Clocks may differ by half a minute; a passport from further ahead waits until it counts") func skew()
        async throws
    {
        try await GateScene.with { scene in
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                try await scene.ask("near", try scene.text("node-a", showing: scene.passport("node-a", age: -20)))
                #expect(try await scene.comes("near", GateScene.approved))
                try await scene.ask("far", try scene.text("node-a", showing: scene.passport("node-a", age: -200)))
                #expect(try await eventually { scene.log.text.contains { $0.contains("a request waits") } })
                #expect(try await scene.said("far").isEmpty)
                scene.clock.advance(by: 180)
                #expect(try await scene.comes("far", GateScene.approved))
            }
        }
    }

    @Test("While the verifier is away nobody joins; when it is back, those who wait do") func verifierAway()
        async throws
    {
        try await GateScene.with { scene in
            try await scene.gate(
                "one",
                { configuration in
                    configuration.gates = [.approver]
                    configuration.maximumStatusAge = 120
                },
                { (_: ServiceClient) async throws in
                    scene.clock.advance(by: 200)
                    try await scene.ask("waits", try scene.text("node-a", showing: scene.passport("node-a")))
                    #expect(try await eventually { scene.log.text.contains { $0.contains("a request waits") } })
                    #expect(try await scene.said("waits").isEmpty)
                    try scene.publish()
                    #expect(try await scene.comes("waits", GateScene.approved))
                })
        }
    }

    @Test("A passport that was withdrawn opens nothing") func revoked() async throws {
        try await GateScene.with { scene in
            try scene.publish([5: .invalid])
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                try await scene.ask("revoked", try scene.text("node-a", showing: scene.passport("node-a", index: 5)))
                #expect(try await scene.comes("revoked", "Denied PassportRevoked"))
            }
        }
    }
}

extension Sequence where Element: Sendable {
    /// Each element's value, one after the other.
    func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
