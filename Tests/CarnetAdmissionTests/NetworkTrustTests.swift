import CarnetAdmission
import CarnetRelyingService
import CarnetResult
import CarnetTesting
import Fixtures
import HTTPTypes
import KubernetesHarness
import ServiceHarness
import Testing
import VerifierHarness

/// Trust over the network: the verifier's keys and lists are fetched, and a key that is new is asked for.
@Suite("Trust over the network", .serialized, .timeLimit(.minutes(5))) struct NetworkTrustTests {
    @Test("A gate without keys is not ready and decides nothing; when the verifier answers, those who waited join")
    func away() async throws {
        try await GateScene.withDouble { scene, _ in
            let issuer = ScriptedIssuer()
            issuer.change { $0.fails = true }
            try await issuer.run { base in
                try await scene.gate(
                    "one",
                    { configuration in
                        configuration.trust = .issuer(
                            GateScene.issuer, base: base, authorityFile: nil, allowsPlainHTTP: true)
                    },
                    { (client: ServiceClient) async throws in
                        try await scene.makeNode("node-b", passport: scene.passport("node-b"))
                        try await scene.ask("waits", try scene.text("node-a", showing: scene.passport("node-a")))
                        #expect(try await eventually { scene.log.text.contains { $0.contains("a request waits") } })
                        #expect(try await client.call(.get, "/readyz").status == 503)
                        #expect(try await client.call(.get, "/livez").status == 200)
                        #expect(try await scene.becomes("node-b", "label Unknown:CannotBeChecked"))
                        let list = try scene.forge.statusList(
                            GateScene.list, issuedAt: scene.clock.now, expiresAt: scene.clock.now + 3600)
                        issuer.change { page in
                            page.keySet = scene.forge.keySet
                            page.lists = ["1-0": list]
                            page.fails = false
                        }
                        #expect(try await scene.comes("waits", GateScene.approved))
                        #expect(try await scene.becomes("node-b", GateScene.good))
                        #expect(try await client.call(.get, "/readyz").status == 200)
                    })
            }
        }
    }

    @Test("A passport by a key that is new brings the keys anew, and is taken then") func newKey() async throws {
        try await GateScene.withDouble { scene, _ in
            let issuer = ScriptedIssuer(), older = try TokenForge()
            let list = { (forge: TokenForge) in
                try forge.statusList(GateScene.list, issuedAt: scene.clock.now, expiresAt: scene.clock.now + 3600)
            }
            let first = try list(older), second = try list(scene.forge)
            issuer.change { page in
                page.keySet = older.keySet
                page.lists = ["1-0": first]
            }
            try await issuer.run { base in
                try await scene.gate(
                    "one",
                    { configuration in
                        configuration.trust = .issuer(
                            GateScene.issuer, base: base, authorityFile: nil, allowsPlainHTTP: true)
                    },
                    { (client: ServiceClient) async throws in
                        #expect(try await eventually { try await client.call(.get, "/readyz").status == 200 })
                        issuer.change { page in
                            page.keySet = scene.forge.keySet
                            page.lists = ["1-0": second]
                        }
                        try await scene.ask("new", try scene.text("node-a", showing: scene.passport("node-a")))
                        #expect(try await scene.comes("new", GateScene.approved))
                    })
            }
        }
    }
}
