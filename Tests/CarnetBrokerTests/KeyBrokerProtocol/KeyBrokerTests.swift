import BrokerHarness
import CarnetRecords
import CarnetRelyingParty
import CarnetResult
import Cryptography
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Key-broker clients against a real broker and a real verifier: what they get.
@Suite struct KeyBrokerTests {
    @Test("auth, attest, resource: the secret comes encrypted to the guest's key, and the ledgers tell of all of it")
    func story() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let begun = try await guest.begin()
            #expect(begun.header("Content-Type") == "application/json")
            #expect(try begun.json["nonce"]?.string?.utf8.count == 44)
            #expect(begun.header("Set-Cookie")?.contains("HttpOnly") == true)
            let (session, token) = try await guest.attested()
            for answer in [
                try await guest.resource(session: session), try await guest.resource(bearer: token),
            ] {
                #expect(answer.status == 200 && answer.header("Content-Type") == "application/json", "\(answer.text)")
                #expect(
                    Set(try answer.json.members?.map(\.name) ?? [])
                        == ["protected", "encrypted_key", "iv", "ciphertext", "tag"])
                #expect(try guest.open(answer) == KeyBrokerScene.secret)
                #expect(throws: (any Error).self) { try guest.open(answer, with: PrivateKey.generate()) }
            }
            let entries = try await scene.entries()
            #expect(entries.contains { $0.kind == "kbs-attestation" && $0.body.contains("attested") })
            let releases = entries.filter { $0.kind == "release" }
            #expect(releases.count == 2 && releases.allSatisfy { $0.body.contains(#""model":"kbs""#) })
            #expect(!entries.contains { $0.body.contains(session.cookie.suffix(80)) || $0.body.contains(token) })
            #expect(try await scene.broker.ledger().faults().isEmpty)
            let list = try await scene.office.call(
                .get, "/admin/v1/appraisals?limit=1", token: scene.verifier.administrator
            ).json["appraisals"]?.elements?.first
            #expect(list?["kind"]?.string == "background-check" && list?["outcome"]?.string == "affirming")
        }
    }

    @Test("The result names the guest's key, twice, as one that only software protects") func result() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let (_, token) = try await guest.attested()
            let keys = try await scene.office.call(.get, "/.well-known/jwks.json").body
            let lists = try await scene.office.statusLists()
            var expectations = Expectations(issuer: VerifierUnderTest.issuer, audience: BrokerUnderTest.url)
            expectations.minimumKeyProtection = .software
            let result = try PassportVerifier(keySet: keys, expectations: expectations).checking(lists).verify(
                Array(token.utf8), at: scene.verifier.clock.now)
            let tpm = try #require(result.submodules.values.first)
            let key = try JSONWebKey(guest.key.publicKey)
            #expect(tpm.encryptionKey?.key == key && tpm.encryptionKey?.protection == .software)
            #expect(result.keyThumbprint == key.thumbprint && tpm.keyProtection == .software)
            #expect(tpm.depth == .pcrs)
            // A passport for machines' own calls asks for a key in the TPM, if it asks for nothing else.
            expectations.minimumKeyProtection = .tpm
            #expect(throws: (any Error).self) {
                try PassportVerifier(keySet: keys, expectations: expectations).checking(lists).verify(
                    Array(token.utf8), at: scene.verifier.clock.now)
            }
        }
    }

    @Test("A session that attested gives the same token again, whatever is sent") func again() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let (session, token) = try await guest.attested()
            let answer = try await guest.attest(session, "{}")
            #expect(answer.status == 200)
            #expect(try answer.json["token"]?.string == token)
        }
    }

    @Test("Another start of the broker goes on with a session: between auth and attest, and after it")
    func restart() async throws {
        try await KeyBrokerScene.prepare { scene in
            let key = try PrivateKey.generate()
            let (open, session, token) = try await scene.broker.run { client in
                try await scene.fill(KeyBrokerScene.policy, client)
                let guest = try KeyBrokerClient(client, scene.tpm, key)
                let (session, token) = try await guest.attested()
                return (try await guest.session(), session, token)
            }
            try await scene.broker.run { client in
                let guest = try KeyBrokerClient(client, scene.tpm, key)
                #expect(try guest.open(await guest.resource(session: session)) == KeyBrokerScene.secret)
                #expect(try await guest.attest(session, "{}").json["token"]?.string == token)
                #expect(try await guest.attest(open, guest.evidence(open.nonce)).status == 200)
            }
        }
    }

    @Test("Further devices' evidence is bound by the quote as the canonical text has it, and otherwise left alone")
    func additional() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let session = try await guest.session()
            // As JSON and as canonical JSON it is the same text here.
            let body = try guest.evidence(session.nonce) { $0.additional = #"{\"nvidia\":\"\u000b\n é\"}"# }
            #expect(try await guest.attest(session, body).status == 200)
        }
    }

    @Test(
        "A policy for key-broker clients that wants fresh evidence is met by a session that has just attested, and by no token"
    )
    func fresh() async throws {
        try await KeyBrokerScene.run(policy: KeyBrokerScene.policy + "freshness: background-check\n") { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let (session, token) = try await guest.attested()
            #expect(try await guest.resource(session: session).status == 200)
            let alone = try await guest.resource(bearer: token)
            #expect(alone.status == 401 && alone.keyBrokerError == "PolicyDeny")
            scene.broker.clock.advance(by: 121)
            scene.verifier.clock.advance(by: 121)
            let late = try await guest.resource(session: session)
            #expect(late.status == 401 && late.keyBrokerError == "PolicyDeny", "\(late.text)")
        }
    }
}
