import BrokerHarness
import CarnetBroker
import CarnetLedger
import CarnetRecords
import CarnetResult
import CarnetStorage
import CarnetService
import CarnetTesting
import Cryptography
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// What the broker gives to whom, and to whom not.
@Suite struct ReleaseTests {
    private static let path = "/release/v1/secrets/default/db/password"
    private static let secret = Array("correct horse".utf8)
    private static let policy = "version: 1\nid: db\nsecrets: [default/db/*]\n"

    /// A broker with one secret and one policy, which a test changes.
    private func scene(
        policy: String? = policy, _ body: @Sendable (BrokerUnderTest, ServiceClient) async throws -> Void
    ) async throws {
        let broker = try BrokerUnderTest()
        try await broker.run { client in
            #expect(try await broker.put("default/db/password", Self.secret, client).status == 201)
            if let policy { #expect(try await broker.policy(policy, client).status == 201) }
            try await body(broker, client)
        }
    }

    @Test(
        "A machine whose passport meets a policy gets the secret, encrypted to its TPM's key, and the ledger tells of it"
    )
    func released() async throws {
        try await scene { broker, client in
            let answer = try await broker.machine(.post, Self.path, broker.passport(), client)
            #expect(answer.answer.status == 200 && answer.answer.header("Content-Type") == "application/jose")
            #expect(answer.answer.header("Carnet-Secret-Version") == "1")
            #expect(try broker.open(answer) == Self.secret)
            #expect(throws: (any Error).self) { try broker.open(answer, with: PrivateKey.generate()) }
            let entries = try await broker.entries()
            #expect(entries.last?.kind == "release" && entries.last?.body.contains("\"outcome\":\"granted\"") == true)
            #expect(!entries.contains { $0.body.contains("correct horse") })
            #expect(try await broker.ledger().faults().isEmpty)
        }
    }

    @Test("Without a policy nobody gets anything, and what does not exist is answered as what is refused")
    func nothing() async throws {
        try await scene(policy: nil) { broker, client in
            let refused = try await broker.machine(.post, Self.path, broker.passport(), client).answer
            #expect(refused.status == 403 && refused.problem == "release-denied")
            let missing = try await broker.machine(
                .post, "/release/v1/secrets/default/db/other", broker.passport(), client
            ).answer
            #expect(missing.status == 403 && missing.problem == "release-denied")
            try await broker.policy(Self.policy, client)
            let unknown = try await broker.machine(
                .post, "/release/v1/secrets/default/db/other", broker.passport(), client
            ).answer
            #expect(unknown.status == 403 && unknown.problem == "release-denied")
        }
    }

    /// What a policy can demand, a passport that does not meet it, and one that does.
    struct Demand: Sendable, CustomTestStringConvertible {
        let text: String
        let bad: @Sendable (BrokerUnderTest) throws -> [UInt8]
        let good: @Sendable (BrokerUnderTest) throws -> [UInt8]
        var testDescription: String { text }
    }

    static let demands = [
        Demand(
            text: "passport: {status: affirming}",
            bad: {
                try $0.passport { $0.replacingOccurrences(of: "_status\":\"affirming", with: "_status\":\"warning") }
            },
            good: { try $0.passport() }),
        Demand(
            text: "passport: {key_protection: tpm-state}", bad: { try $0.passport() },
            good: { try $0.passport(protection: .tpmState) }),
        Demand(
            text: "passport: {labels: {site: edge}}", bad: { try $0.passport(labels: ["site": "lab"]) },
            good: { try $0.passport(labels: ["site": "edge"]) }),
        Demand(
            text: "passport: {maximum_age: 60}", bad: { try $0.passport(age: 61) }, good: { try $0.passport(age: 30) }),
        Demand(
            text: "passport: {depth: event-log}",
            bad: { try $0.passport { $0.replacingOccurrences(of: "\"event-log\"", with: "\"pcrs\"") } },
            good: { try $0.passport() }),
        Demand(
            text: "passport: {policies: [demo]}",
            bad: { try $0.passport { $0.replacingOccurrences(of: "policy/demo@", with: "policy/demo2@") } },
            good: { try $0.passport() }),
        Demand(
            text: "passport: {vector: {hardware: affirming}}",
            bad: { try $0.passport { $0.replacingOccurrences(of: ",\"hardware\":2", with: "") } },
            good: { try $0.passport() }),
        Demand(
            text: "passport: {secure_boot: required}",
            bad: {
                try $0.passport { $0.replacingOccurrences(of: "\"secure_boot\":true", with: "\"secure_boot\":false") }
            },
            good: { try $0.passport() }),
        Demand(
            text: "machines: [\"urn:carnet:node:11111111-2222-3333-4444-555555555555\"]",
            bad: { try $0.passport { $0.replacingOccurrences(of: "555555555555", with: "555555555556") } },
            good: { try $0.passport() }),
        Demand(
            text:
                "passport: {key_protection: tpm-state}\nphases: {reached: [enter-initrd], not_reached: [leave-initrd]}",
            bad: { try $0.passport(protection: .tpmState, phases: ["enter-initrd", "leave-initrd"]) },
            good: { try $0.passport(protection: .tpmState, phases: ["enter-initrd"]) }),
        Demand(
            text:
                "passport: {key_protection: tpm-state}\nphases: {reached: [enter-initrd], not_reached: [leave-initrd]}",
            bad: { try $0.passport(protection: .tpmState) },
            good: { try $0.passport(protection: .tpmState, phases: ["enter-initrd"]) }),
        Demand(
            text:
                "passport: {key_protection: tpm-state}\nphases: {reached: [enter-initrd], not_reached: [leave-initrd]}",
            bad: { try $0.passport(protection: .tpmState, phases: []) },
            good: { try $0.passport(protection: .tpmState, phases: ["enter-initrd"]) }),
    ]

    @Test("A policy's demand keeps out who does not meet it, with the reason, and lets in who does", arguments: demands)
    func demand(_ demand: Demand) async throws {
        try await scene(policy: Self.policy + demand.text + "\n") { broker, client in
            let refused = try await broker.machine(.post, Self.path, demand.bad(broker), client).answer
            #expect(refused.status == 403 && refused.problem == "release-denied", "\(refused.text)")
            let detail = try #require(try refused.json["detail"]?.string)
            #expect(detail.contains("db: ") || detail == "No policy gives it to this machine.")
            let good = try await broker.machine(.post, Self.path, demand.good(broker), client)
            #expect(good.answer.status == 200, "\(good.answer.text)")
            #expect(try broker.open(good) == Self.secret)
        }
    }

    @Test("A passport for somebody else, of another issuer, expired or contraindicated is not accepted at all")
    func passports() async throws {
        try await scene { broker, client in
            let stranger = try BrokerUnderTest()
            for passport in [
                try broker.passport(audience: "https://other.example"), try stranger.passport(),
                try broker.passport(age: 400), try broker.passport(status: .contraindicated),
                try broker.passport { $0.replacingOccurrences(of: "\"status\":", with: "\"other\":") },
            ] {
                let answer = try await broker.machine(.post, Self.path, passport, client).answer
                #expect(answer.status == 401 && answer.problem == "passport-refused", "\(answer.text)")
                #expect(answer.header("DPoP-Nonce") != nil && answer.header("WWW-Authenticate") != nil)
            }
        }
    }

    @Test("A revoked passport opens nothing") func revoked() async throws {
        let broker = try BrokerUnderTest()
        try await broker.run { client in
            _ = try await broker.put("default/db/password", Self.secret, client)
            try await broker.policy(Self.policy, client)
            #expect(try await broker.machine(.post, Self.path, broker.passport(index: 9), client).answer.status == 200)
        }
        try broker.revoke(9)
        try await broker.run { client in
            let withdrawn = try await broker.machine(.post, Self.path, broker.passport(index: 9), client).answer
            let good = try await broker.machine(.post, Self.path, broker.passport(index: 1), client).answer
            #expect(withdrawn.status == 401 && good.status == 200)
        }
    }

    @Test(
        "A stolen passport opens nothing: without a proof, with another's, with one for another request, or with one that was used"
    )
    func stolen() async throws {
        try await scene { broker, client in
            let passport = try broker.passport()
            let thief = try await broker.machine(.post, Self.path, passport, by: PrivateKey.generate(), client).answer
            #expect(thief.status == 401)
            let moved = try await broker.machine(
                .post, Self.path, passport, proving: "/release/v1/secrets/default/db/other", client
            ).answer
            #expect(moved.status == 401)
            let bearer = try await client.call(
                .post, Self.path, token: String(decoding: passport, as: UTF8.self), type: "application/json",
                body: Array("{}".utf8))
            #expect(bearer.status == 401)
            let nonceless = try broker.forge.proof(
                for: ProvenRequest(method: "POST", uri: BrokerUnderTest.url + Self.path), showing: passport,
                issuedAt: broker.clock.now)
            let sentBack = try await broker.send(.post, Self.path, passport, nonceless, client)
            #expect(sentBack.status == 401 && sentBack.header("WWW-Authenticate")?.contains("use_dpop_nonce") == true)
            let good = try await broker.machine(.post, Self.path, passport, client)
            #expect(good.answer.status == 200)
            let replayed = try await broker.send(.post, Self.path, passport, good.proof, client)
            #expect(replayed.status == 401)
        }
    }

    @Test("The form is the policy's word, and an import blob wants a storage key") func forms() async throws {
        try await scene { broker, client in
            let form = #"{"form":"tpm-import"}"#
            let refused = try await broker.machine(.post, Self.path, broker.passport(), body: form, client).answer
            #expect(refused.status == 403 && refused.text.contains("not given as tpm-import"), "\(refused.text)")
            try await broker.policy(Self.policy + "forms: [jwe, tpm-import]\n", client)
            let unbound = try await broker.machine(.post, Self.path, broker.passport(), body: form, client).answer
            #expect(unbound.status == 403 && unbound.text.contains("storage key"), "\(unbound.text)")
            for body in [#"{"form":"plain"}"#, #"{"forms":1}"#, "[]", "{", #"{"evidence":{}}"#] {
                let bad = try await broker.machine(.post, Self.path, broker.passport(), body: body, client).answer
                #expect(bad.status == 400, "\(body): \(bad.text)")
            }
        }
    }

    @Test("Where evidence is wanted and no verifier can be asked, nothing is given out") func fresh() async throws {
        try await scene(policy: Self.policy + "freshness: background-check\n") { broker, client in
            let wanted = try await broker.machine(.post, Self.path, broker.passport(), client).answer
            #expect(wanted.status == 403 && wanted.problem == "fresh-evidence-required")
            let challenge = try await broker.machine(
                .post, "/release/v1/challenges", broker.passport(), body: #"{"ak":"AAs"}"#, client
            ).answer
            #expect(challenge.status == 503, "\(challenge.text)")
            let body = #"{"challenge":"00","evidence":{}}"#
            let forced = try await broker.machine(.post, Self.path, broker.passport(), body: body, client).answer
            #expect(forced.status == 503, "\(forced.text)")
        }
    }

    @Test("Another version takes the place of the first, and a removed secret is gone") func versions() async throws {
        try await scene { broker, client in
            #expect(try await broker.put("default/db/password", [1, 2, 3], client).status == 200)
            let answer = try await broker.machine(.post, Self.path, broker.passport(), client)
            #expect(answer.answer.header("Carnet-Secret-Version") == "2")
            #expect(try broker.open(answer) == [1, 2, 3])
            let admin = try broker.administrator
            #expect(
                try await client.call(.delete, "/admin/v1/secrets/default/db/password", token: admin).status == 204)
            #expect(try await broker.machine(.post, Self.path, broker.passport(), client).answer.status == 403)
        }
    }

    @Test("A stolen database opens nothing, and a row that was moved to another name is not given out")
    func stolenDatabase() async throws {
        try await scene { broker, client in
            _ = try await broker.put("default/db/other", Array("other secret!".utf8), client)
            let database = try await broker.openDatabase()
            let rows = try await database.read { try $0.rows("SELECT wrapped FROM secrets") }
            for row in rows {
                let bytes = try row.bytes("wrapped")
                #expect(bytes.firstRange(of: Self.secret) == nil && bytes.firstRange(of: Array("other".utf8)) == nil)
            }
            try await database.write { connection in
                try connection.execute(
                    """
                    UPDATE secrets SET wrapped = (SELECT wrapped FROM secrets WHERE name = 'default/db/other'),
                        nonce = (SELECT nonce FROM secrets WHERE name = 'default/db/other')
                    WHERE name = 'default/db/password'
                    """)
            }
            let answer = try await broker.machine(.post, Self.path, broker.passport(), client).answer
            #expect(answer.status == 503, "\(answer.text)")
        }
    }

    @Test("Whoever reveals a secret to an operator is in the ledger, and so is every refusal") func told() async throws
    {
        try await scene(policy: nil) { broker, client in
            let path = "/admin/v1/secrets/default/db/password/reading"
            let read = try await client.call(.post, path, token: try broker.administrator)
            #expect(read.status == 200 && read.body == Self.secret)
            _ = try await broker.machine(.post, Self.path, broker.passport(), client)
            let entries = try await broker.entries()
            #expect(entries.contains { $0.kind == "operation" && $0.body.contains("secret.read") })
            #expect(entries.contains { $0.kind == "release-refused" && $0.body.contains("No policy") })
        }
    }

    @Test("Operators read in the ledger which demand of which policy was not met; the machine reads nothing of it")
    func explained() async throws {
        let text = """
            machines: ["urn:carnet:node:99999999-2222-3333-4444-555555555555"]
            passport: {labels: {site: hidden}, depth: event-log+ima}

            """
        try await scene(policy: Self.policy + text) { broker, client in
            for id in 0..<20 {
                let other =
                    Self.policy.replacing("id: db", with: "id: other-\(id)")
                    + "passport: {labels: {site: \(String(repeating: "x", count: 400))}}\n"
                try await broker.policy(other, client)
            }
            let answer = try await broker.machine(
                .post, Self.path, broker.passport(labels: ["site": "fra"]), client
            ).answer
            #expect(try answer.json["detail"]?.string == "No policy gives it to this machine.")
            let entry = try #require(try await broker.entries().first { $0.kind == "release-refused" })
            let reasons = try JSONDocument(parsing: Array(entry.body.utf8), maximumByteCount: 65_536).root["reasons"]?
                .elements?.compactMap(\.string)
            #expect(reasons?.contains("db: The machine is not among its machines.") == true, "\(entry.body)")
            #expect(reasons?.contains("db: The label site is fra; hidden is demanded.") == true)
            #expect(reasons?.contains { $0.hasPrefix("db: The appraisal was of") } == true)
            #expect(reasons?.count == 16 && reasons?.last == "And 8 more.")
            #expect(reasons?.allSatisfy { $0.utf8.count <= 256 } == true)
        }
    }

    @Test("Who is not meant by a policy learns nothing of it: the answer is that to a name that does not exist")
    func names() async throws {
        let text = "passport: {labels: {site: hidden}, depth: event-log+ima}\n"
        try await scene(policy: Self.policy + text) { broker, client in
            let meant = try await broker.machine(
                .post, Self.path, broker.passport(labels: ["site": "hidden"]), client
            ).answer
            #expect(try meant.json["detail"]?.string?.contains("db: The appraisal") == true)
            var details: Set<String> = []
            for path in [Self.path, "/release/v1/secrets/default/db/none", "/release/v1/secrets/other/tls/x"] {
                let answer = try await broker.machine(.post, path, broker.passport(), client).answer
                details.insert(try answer.json["detail"]?.string ?? "")
            }
            #expect(details == ["No policy gives it to this machine."])
            let refusals = try await broker.entries().filter { $0.kind == "release-refused" }
            // The same name twice in a row is told once.
            #expect(refusals.count == 3)
        }
    }

    @Test("What one machine may ask is bounded") func rates() async throws {
        let rates = SettableRateClock()
        let broker = try BrokerUnderTest { configuration in
            configuration.machineRate = RateLimit(perMinute: 60, burst: 3)
            configuration.rateClock = rates.clock
        }
        try await broker.run { client in
            var statuses: [Int] = []
            for _ in 0..<5 {
                statuses.append(try await broker.machine(.post, Self.path, broker.passport(), client).answer.status)
            }
            #expect(statuses.filter { $0 == 429 }.count == 2 && statuses.prefix(3).allSatisfy { $0 == 403 })
        }
    }
}
