import CarnetResult
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
        }
    }
}
