import CarnetResult
@testable import CarnetRecords
import CarnetVerifier
import Cryptography
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

@Suite struct DiscoveryTests {
    @Test("The key set is public, can be cached for minutes, and survives a restart") func keySet() async throws {
        let verifier = try VerifierUnderTest()
        let sets = [
            try await verifier.run { try await $0.call(.get, "/.well-known/jwks.json") },
            try await verifier.run { try await $0.call(.get, "/.well-known/jwks.json") },
        ]
        #expect(sets[0].status == 200)
        #expect(sets[0].header("content-type") == "application/jwk-set+json")
        #expect(sets[0].header("cache-control") == "public, max-age=300")
        let keys = try JSONWebKeySet(parsing: sets[0].body)
        #expect(keys.keys.count == 2 && keys.ignored.isEmpty)
        #expect(!sets[0].text.contains("\"d\""))
        #expect(sets[0].body == sets[1].body)
        let others = try await VerifierUnderTest().run { try await $0.call(.get, "/.well-known/jwks.json").body }
        #expect(others != sets[0].body)
    }

    @Test("Discovery documents point at the issuer's keys") func documents() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let openID = try await client.call(.get, "/.well-known/openid-configuration").json
            #expect(openID["issuer"]?.string == VerifierUnderTest.issuer)
            #expect(openID["jwks_uri"]?.string == VerifierUnderTest.issuer + "/.well-known/jwks.json")
            let veraison = try await client.call(.get, "/.well-known/veraison/verification")
            #expect(veraison.header("content-type") == "application/vnd.veraison.discovery+json")
            let keys = try JSONWebKeySet(parsing: await client.call(.get, "/.well-known/jwks.json").body)
            let key = try JSONWebKey(try #require(veraison.json["ear-verification-key"]))
            #expect(keys.keys.values.contains(key))
            let endpoints = try veraison.json["api-endpoints"]
            #expect(endpoints?["newChallengeResponseSession"]?.string == "/challenge-response/v1/newSession")
            #expect(try veraison.json["service-state"]?.string == "READY")
            #expect(
                try veraison.json.members?.map { $0.name } == [
                    "ear-verification-key", "media-types", "attestation-schemes", "version", "service-state",
                    "api-endpoints",
                ])
            let session = try await client.call(.post, "/challenge-response/v1/newSession").json
            let accepted = session["accept"]?.elements?.compactMap(\.string)
            #expect(try veraison.json["media-types"]?.elements?.compactMap(\.string) == accepted)
            #expect(veraison.header("vary") == "Accept" && veraison.header("cache-control") != "no-store")
        }
    }

    @Test(
        "Veraison's document comes as what its client wants",
        arguments: [
            ("application/vnd.veraison.discovery+json", "application/vnd.veraison.discovery+json"),
            ("application/json", "application/json"), ("*/*", "application/vnd.veraison.discovery+json"),
            ("text/html", nil), ("application/vnd.veraison.discovery+json;q=0", nil),
        ] as [(String, String?)])
    func wanted(_ accept: String, _ type: String?) async throws {
        try await VerifierUnderTest().run { client in
            let answer = try await client.call(
                .get, "/.well-known/veraison/verification", headers: [("Accept", accept)])
            #expect(answer.status == (type == nil ? 406 : 200))
            #expect(answer.header("content-type") == type ?? "application/problem+json")
        }
    }

    @Test("A verifier that can sign nothing does not say that it is ready, and no cache keeps it") func down()
        async throws
    {
        let verifier = try VerifierUnderTest { $0.databaseTimeout = 0.5 }
        try await verifier.run { client in
            #expect(
                try await client.call(.get, "/.well-known/veraison/verification").json["service-state"]?.string
                    == "READY")
            verifier.clock.advance(by: 10)
            try await verifier.database.whileLocked {
                let answer = try await client.call(.get, "/.well-known/veraison/verification")
                #expect(try answer.status == 503 || answer.json["service-state"]?.string == "DOWN", "\(answer.text)")
                #expect(answer.header("cache-control") == "no-store")
            }
        }
    }
}
