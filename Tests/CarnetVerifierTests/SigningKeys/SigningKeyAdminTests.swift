import CarnetLedger
import CarnetRelyingParty
import CarnetResult
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Signing keys over HTTP.
@Suite("/admin/v1/signing-keys") struct SigningKeyAdminTests {
    private func verifier(
        _ configure: @escaping @Sendable (inout VerifierConfiguration) -> Void = { _ in }
    ) throws -> VerifierUnderTest {
        try VerifierUnderTest(startingAt: 1_800_000_100) { configuration in
            configuration.signingKeyInterval = .milliseconds(10)
            configure(&configuration)
        }
    }

    private func states(_ answer: ServiceClient.Answer) throws -> [String] {
        try answer.json["signing_keys"]?.elements?.compactMap { $0["state"]?.string } ?? []
    }

    private func kid(_ state: String, _ answer: ServiceClient.Answer) throws -> String {
        try #require(try answer.json["signing_keys"]?.elements?.first { $0["state"]?.string == state }?["kid"]?.string)
    }

    @Test("Operators see the keys, rotate them once the next is old enough, and the ledger tells who") func rotation()
        async throws
    {
        let verifier = try verifier()
        try await verifier.run { client in
            let admin = try verifier.administrator, path = "/admin/v1/signing-keys"
            let list = try await client.call(.get, path, token: admin)
            #expect(try states(list) == ["current", "next"] || states(list) == ["next", "current"])
            #expect(!list.text.contains("wrapped") && !list.text.contains("\"d\""))
            let body = #"{"reason":"An administrator left"}"#
            let early = try await client.send(.post, path + "/rotation", token: admin, body)
            #expect(early.status == 409 && early.problem == "key-too-young" && early.text.contains("2027-01-15T10:"))
            verifier.clock.advance(by: 7201)
            let rotated = try await client.send(.post, path + "/rotation", token: admin, body)
            #expect(rotated.status == 200)
            #expect(try states(rotated).sorted() == ["current", "next", "retiring"])
            #expect(
                try kid("current", rotated) == kid("next", list) && kid("retiring", rotated) == kid("current", list))
            let keys = try await JSONWebKeySet(parsing: client.call(.get, "/.well-known/jwks.json").body)
            #expect(keys.keys.count == 3)
            let veraison = try await client.call(.get, "/.well-known/veraison/verification").json
            #expect(try veraison["ear-verification-key"]?["kid"]?.string == kid("current", rotated))
            let event = try #require(try rotated.json["events"]?.elements?.first { $0["state"]?.string == "current" })
            #expect(event["reason"]?.string == "An administrator left")
            #expect(event["decided_by"]?.string.map { admin.contains($0) } == true)
            let chain = try await client.call(.get, "/admin/v1/ledger/chains", token: admin).json["chains"]?.elements?
                .first
            let name = try #require(chain?["chain"]?.string)
            let text = try await client.call(.get, "/admin/v1/ledger/entries?chain=\(name)", token: admin).text
            let steps = text.split(separator: "\n").filter { $0.contains("\"An administrator left\"") }
            #expect(steps.count == 3 && steps.allSatisfy { $0.contains("\"key\"") }, "\(text)")
        }
    }

    @Test("A revoked key leaves the set at once; lists are signed by the next key at once") func revocation()
        async throws
    {
        let verifier = try verifier()
        try await verifier.run { client in
            let admin = try verifier.administrator, path = "/admin/v1/signing-keys"
            _ = try await client.statusLists()
            let old = try await kid("current", client.call(.get, path, token: admin))
            let body = #"{"reason":"The host was broken into"}"#
            let revoked = try await client.send(.post, "\(path)/\(old)/revocation", token: admin, body)
            #expect(revoked.status == 200)
            #expect(try states(revoked).sorted() == ["current", "next", "revoked"])
            let keys = try await JSONWebKeySet(parsing: client.call(.get, "/.well-known/jwks.json").body)
            #expect(keys.keys.count == 2 && keys.keys[old] == nil)
            #expect(try await client.statusLists().held.count > 0)
            // The ledger's last checkpoint is by a key that whoever starts later can know.
            let checkpoints = try await client.call(.get, "/admin/v1/ledger/checkpoints", token: admin)
            let last = try #require(try checkpoints.json["checkpoints"]?.elements?.last?["statement"]?.string)
            #expect(UnverifiedCheckpoint(parsing: Array(last.utf8))?.signature(under: keys) == .valid)
            let again = try await client.send(.post, "\(path)/\(old)/revocation", token: admin, body)
            #expect(again.status == 409 && again.problem == "key-ended")
            let unknown = try await client.send(.post, "\(path)/x/revocation", token: admin, body)
            #expect(unknown.status == 404)
            for bad in ["{}", "", #"{"reason":""}"#, #"{"reason":"a\nb"}"#, #"{"reason":"a","kid":"b"}"#] {
                let answer = try await client.send(.post, path + "/rotation", token: admin, bad)
                #expect(answer.status == 400, "\(bad)")
            }
        }
    }

    @Test("On schedule keys take turns by themselves, and a lone jump of the clock changes nothing") func schedule()
        async throws
    {
        let verifier = try verifier { $0.signingKeys.period = 86_400 }
        try await verifier.run { client in
            let admin = try verifier.administrator, path = "/admin/v1/signing-keys"
            let before = try await client.call(.get, path, token: admin)
            verifier.clock.advance(by: 86_500)
            var after = before
            for _ in 0..<1500 where try states(after).count < 3 {
                try await Task.sleep(for: .milliseconds(20))
                after = try await client.call(.get, path, token: admin)
            }
            #expect(try kid("current", after) == kid("next", before))
            verifier.clock.advance(by: SigningKeySchedule.hold + 100)
            for _ in 0..<1500 where try !states(after).contains("retired") {
                try await Task.sleep(for: .milliseconds(20))
                after = try await client.call(.get, path, token: admin)
            }
            #expect(try kid("retired", after) == kid("current", before))
        }
        #expect(verifier.log.text.contains { $0.contains("\"state\":\"retired\"") })
    }

    @Test("A key that was altered in the database: not ready, no passport, no key set, and why in the log")
    func altered()
        async throws
    {
        let verifier = try verifierWithPolicy { $0.signingKeyNotice = .zero }
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let session = try await machine.session()
            let database = try await verifier.database.open()
            let saved = try #require(
                try await database.read { try $0.row("SELECT kid, state, public_key FROM signing_keys LIMIT 1") })
            let kid = try saved.text("kid"), hostile = "x" + kid.dropFirst()
            try await database.write { try $0.execute("UPDATE signing_keys SET kid = \(hostile) WHERE kid = \(kid)") }
            #expect(try await machine.answer(session).status == 503)
            #expect(try await client.call(.get, "/.well-known/jwks.json").status == 503)
            #expect(try await client.call(.get, "/status-lists/500000-0").status >= 404)
            verifier.clock.advance(by: 5)
            #expect(try await client.call(.get, "/readyz").status == 503)
            try await database.write { try $0.execute("UPDATE signing_keys SET kid = \(kid) WHERE kid = \(hostile)") }
            let answer = try await machine.answer(session)
            #expect(answer.status == 200, "the challenge is still good")
        }
        #expect(verifier.log.text.contains { $0.contains("cannot be used") })
    }
}
