import CarnetRelyingParty
import CarnetResult
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Passports that end early, over HTTP: a verifier with a policy, machines with passports, and a relying party that refreshes its lists.
@Suite struct RevocationTests {
    /// Two machines at one verifier.
    private struct Scene: Sendable {
        let verifier: VerifierUnderTest
        let client: ServiceClient
        let first: SimulatedMachine
        let second: SimulatedMachine

        /// A fresh passport of a machine.
        func passport(_ machine: SimulatedMachine) async throws -> [UInt8] {
            let answer = try await machine.answer(machine.session())
            return Array(try #require(try answer.json["result"]?.string).utf8)
        }

        /// What the relying party says to a passport after it has fetched the lists again.
        func refusal(_ passport: [UInt8]) async throws -> Refusal.Code? {
            let relyingParty = try await Office.relyingParty(client)
            do throws(Refusal) {
                _ = try relyingParty.verify(passport, at: verifier.clock.now)
                return nil
            } catch {
                return error.code
            }
        }

        func revoke(_ member: String, reason: String = "a test") async throws -> ServiceClient.Answer {
            try await client.send(
                .post, "/admin/v1/revocations", token: verifier.administrator, #"{\#(member),"reason":"\#(reason)"}"#)
        }

        func node(_ name: String) async throws -> String {
            let answer = try await client.call(.get, "/admin/v1/nodes?name=\(name)", token: verifier.administrator)
            return try #require(try answer.json["nodes"]?.elements?.first?["id"]?.string)
        }
    }

    private func withScene(
        _ verifier: VerifierUnderTest? = nil, _ body: @Sendable (Scene) async throws -> Void
    ) async throws {
        let verifier = try verifier ?? verifierWithPolicy()
        try await verifier.run { client in
            let scene = Scene(
                verifier: verifier, client: client, first: SimulatedMachine(try SimulatedTPM(), client),
                second: SimulatedMachine(try SimulatedTPM(), named: "node-2", client))
            try await scene.first.enrol(administrator: verifier.administrator)
            try await scene.second.enrol(administrator: verifier.administrator)
            try await body(scene)
        }
    }

    private static func claims(_ token: [UInt8]) throws -> JSONNode {
        try JSONDocument(parsing: CompactJWS(parsing: token).payload, maximumByteCount: 8192).root
    }

    @Test("One passport is withdrawn; after a refresh it is refused, and every other stands") func token() async throws
    {
        try await withScene { scene in
            let one = try await scene.passport(scene.first), other = try await scene.passport(scene.first)
            let third = try await scene.passport(scene.second)
            let before = try await Office.relyingParty(scene.client)
            let id = try #require(try Self.claims(one)["jti"]?.string)
            let answer = try await scene.revoke(#""token":"\#(id)""#, reason: "shown by a stranger")
            #expect(answer.status == 201)
            #expect(try answer.json["tokens"]?.integer == 1)
            #expect(try await scene.refusal(one) == .revoked)
            #expect(try await scene.refusal(other) == nil)
            #expect(try await scene.refusal(third) == nil)
            // Who has not refreshed does not know.
            _ = try before.verify(one, at: scene.verifier.clock.now)
            let again = try await scene.revoke(#""token":"\#(id)""#)
            #expect(try again.status == 201 && again.json["tokens"]?.integer == 0)
        }
    }

    @Test("A machine's passports are withdrawn together, and its next one is good") func node() async throws {
        try await withScene { scene in
            let mine = [try await scene.passport(scene.first), try await scene.passport(scene.first)]
            let other = try await scene.passport(scene.second)
            let id = try await scene.node("node-1")
            let answer = try await scene.revoke(#""node":"\#(id)""#)
            #expect(try answer.status == 201 && answer.json["tokens"]?.integer == 2)
            for passport in mine { #expect(try await scene.refusal(passport) == .revoked) }
            #expect(try await scene.refusal(other) == nil)
            scene.verifier.clock.advance(by: 1)
            #expect(try await scene.refusal(scene.passport(scene.first)) == nil)
        }
    }

    @Test("A machine that is removed takes its passports with it") func removal() async throws {
        try await withScene { scene in
            let mine = try await scene.passport(scene.first), other = try await scene.passport(scene.second)
            let admin = try scene.verifier.administrator
            let path = try await "/admin/v1/nodes/" + scene.node("node-1")
            #expect(try await scene.client.call(.delete, path, token: admin).status == 204)
            #expect(try await scene.refusal(mine) == .revoked)
            #expect(try await scene.refusal(other) == nil)
            let list = try await scene.client.call(.get, "/admin/v1/revocations", token: admin).json
            let entry = try #require(list["revocations"]?.elements?.first)
            #expect(entry["reason"]?.string == "The node was removed" && entry["tokens"]?.integer == 1)
            #expect(entry["decided_by"]?.string == Self.identifier(admin))
        }
    }

    @Test("All passports under a policy's version, and all before a time, are withdrawn") func many() async throws {
        try await withScene { scene in
            let early = try await scene.passport(scene.first)
            let ids = try Self.claims(early)["submods"]?["tpm"]?["ear_appraisal_policy_ids"]?.elements
            let digest = try #require(ids?.first?.string?.split(separator: ":").last.map(String.init))
            scene.verifier.clock.advance(by: 10)
            let time = scene.verifier.clock.now
            let late = try await scene.passport(scene.second)
            #expect(try await scene.revoke(#""issued_before":\#(time)"#).status == 201)
            #expect(try await scene.refusal(early) == .revoked)
            #expect(try await scene.refusal(late) == nil)
            let answer = try await scene.revoke(#""policy":"\#(digest)""#)
            #expect(try answer.status == 201 && answer.json["tokens"]?.integer == 1)
            #expect(try await scene.refusal(late) == .revoked)
        }
    }

    @Test("Who withdrew what and why is in the list and, chained, in the ledger") func record() async throws {
        try await withScene { scene in
            let passport = try await scene.passport(scene.first)
            let id = try #require(try Self.claims(passport)["jti"]?.string)
            _ = try await scene.revoke(#""token":"\#(id)""#, reason: "found in a paste")
            let admin = try scene.verifier.administrator
            let list = try await scene.client.call(.get, "/admin/v1/revocations?limit=1", token: admin).json
            let entry = try #require(list["revocations"]?.elements?.first)
            #expect(entry["token"]?.string == id && entry["reason"]?.string == "found in a paste")
            #expect(entry["decided_by"]?.string == Self.identifier(admin))
            let ledger = try await scene.client.call(.get, "/admin/v1/appraisals?limit=1", token: admin).json
            let row = try #require(ledger["appraisals"]?.elements?.first)
            #expect(row["kind"]?.string == "revocation" && row["outcome"]?.string == "revoked")
            #expect(row["requester"]?.string == Self.identifier(admin) && row["jti"]?.string == id)
            let database = try await scene.verifier.database.open()
            #expect(try await Ledger(database).faults().isEmpty)
        }
    }

    @Test(
        "A revocation of nothing, of two things, or without a reason is refused and names the member",
        arguments: [
            (#"{"reason":"x"}"#, 400, nil), ("{}", 400, nil), ("[]", 400, nil),
            (#"{"token":"a","node":"b","reason":"x"}"#, 400, nil), (#"{"token":"a"}"#, 400, "reason"),
            (#"{"token":"a","reason":""}"#, 400, "reason"), (#"{"token":"a","reason":"x\ny"}"#, 400, "reason"),
            (#"{"token":"","reason":"x"}"#, 400, "token"), (#"{"token":7,"reason":"x"}"#, 400, "token"),
            (#"{"policy":"ab","reason":"x"}"#, 400, "policy"),
            (#"{"issued_before":"now","reason":"x"}"#, 400, "issued_before"),
            (#"{"issued_before":1.5,"reason":"x"}"#, 400, "issued_before"),
            (#"{"issued_before":-1,"reason":"x"}"#, 400, "issued_before"),
            (#"{"issued_before":9999999999,"reason":"x"}"#, 400, "issued_before"),
            (#"{"token":"a","reason":"x","because":"y"}"#, 400, "because"), (#"{"token":"a","reason":"x"}"#, 404, nil),
            (#"{"node":"a","reason":"x"}"#, 404, nil),
            (#"{"policy":"\#(String(repeating: "ab", count: 32))","reason":"x"}"#, 404, nil),
        ] as [(String, Int, String?)])
    func malformed(_ body: String, _ status: Int, _ member: String?) async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let admin = try verifier.administrator
            let answer = try await client.send(.post, "/admin/v1/revocations", token: admin, body)
            #expect(answer.status == status && answer.member == member, "\(answer.text)")
            #expect(try await client.call(.get, "/admin/v1/revocations", token: admin).json["revocations"]?.count == 0)
        }
    }

    @Test("A verifier may issue passports that cannot be withdrawn") func without() async throws {
        try await withScene(verifierWithPolicy { $0.refersToStatusLists = false }) { scene in
            let passport = try await scene.passport(scene.first)
            #expect(try Self.claims(passport)["status"] == nil)
            let relyingParty = try await Office.relyingParty(scene.client).checking(.none)
            #expect(try relyingParty.verify(passport, at: scene.verifier.clock.now).revocation == .notRevocable)
            let id = try #require(try Self.claims(passport)["jti"]?.string)
            #expect(try await scene.revoke(#""token":"\#(id)""#).status == 404)
        }
    }

    private static func identifier(_ token: String) -> String? {
        token.dropFirst("carnet-".count).split(separator: ".").first.map(String.init)
    }
}
