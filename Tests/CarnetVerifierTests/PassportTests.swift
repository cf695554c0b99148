import MeasurementLogs
import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import CarnetService
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Cryptography
import HTTPTypes
import ServiceHarness
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// Sessions, evidence and passports over HTTP. The verifier has a policy for the simulated TPM's good boot.
@Suite struct PassportTests {
    /// Runs a verifier with one enrolled machine.
    private func withMachine(
        _ verifier: VerifierUnderTest, _ body: @Sendable (SimulatedMachine, ServiceClient) async throws -> Void
    ) async throws {
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            try await body(machine, client)
        }
    }

    @Test("A good machine gets a passport that a relying party accepts offline") func good() async throws {
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, client in
            let session = try await machine.session()
            let answer = try await machine.answer(session)
            #expect(answer.status == 200)
            #expect(answer.header("content-type") == "application/vnd.veraison.challenge-response-session+json")
            let json = try answer.json
            #expect(json["status"]?.string == "complete")
            #expect(json["findings"]?.count == 0)
            #expect(json.bytes("nonce") == session.nonce)
            let token = Array(try #require(json["result"]?.string).utf8)
            #expect(token.count <= 4096)
            let keys = try await client.call(.get, "/.well-known/jwks.json").body
            var expectations = Expectations(
                issuer: VerifierUnderTest.issuer, audience: VerifierUnderTest.audience)
            expectations.nonce = session.nonce
            expectations.minimumDepth = .eventLog
            let result = try await PassportVerifier(keySet: keys, expectations: expectations)
                .checking(client.statusLists()).verify(token, at: verifier.clock.now)
            #expect(result.status == .affirming)
            #expect(result.expiresAt - result.issuedAt == 300)
            #expect(result.submodules["tpm"]?.keyProtection == .tpm)
            let node = try await client.call(.get, "/admin/v1/nodes", token: verifier.administrator).json
            #expect(result.subject == node["nodes"]?.elements?.first?["subject"]?.string)
            let thumbprint = try JSONWebKey(machine.tpm.passportKey.publicKey).thumbprint
            #expect(result.keyThumbprint == thumbprint)
        }
    }

    @Test("A session has Veraison's shape, and says what the policy wants") func session() async throws {
        try await verifierWithPolicy().run { client in
            let answer = try await client.call(.post, "/challenge-response/v1/newSession?nonceSize=32")
            #expect(answer.status == 201)
            #expect(answer.header("content-type") == "application/vnd.veraison.challenge-response-session+json")
            #expect(answer.header("location")?.hasPrefix("session/") == true)
            let json = try answer.json
            #expect(json["status"]?.string == "waiting")
            #expect(json.bytes("nonce")?.count == 32)
            #expect(json["accept"]?.elements?.first?.string == "application/vnd.carnet.tpm-evidence+json")
            #expect(json["event_log"]?.string == "required")
            #expect(json["pcr_selection"]?.elements?.first?["pcrs"]?.count == 8)
            let other = try await client.call(.post, "/challenge-response/v1/newSession")
            #expect(other.header("location") != answer.header("location"))
            #expect(try other.json.bytes("nonce") != json.bytes("nonce"))
        }
    }

    @Test(
        "A malformed session request names the parameter",
        arguments: [
            ("?nonceSize=7", "?nonceSize"), ("?nonceSize=65", "?nonceSize"), ("?nonceSize=x", "?nonceSize"),
            ("?nonceSize=032", "?nonceSize"), ("?nonceSize=", "?nonceSize"), ("?nonceSize=-32", "?nonceSize"),
            ("?nonceSize=99999999999999999999", "?nonceSize"),
            ("?nonce=AAAA", "?nonce"), ("?nonce=AAAAAAAAAAA%3D", "?nonce"), ("?nonce=", "?nonce"),
            ("?nonceSize=32&nonce=AAAAAAAAAAA", "?nonce"), ("?ak=AAAA", "?ak"), ("?ak=!", "?ak"), ("?ak=", "?ak"),
            ("?akk=AAAA", "?akk"),
        ])
    func malformedSession(_ query: String, _ member: String) async throws {
        try await VerifierUnderTest().run { client in
            let answer = try await client.call(.post, "/challenge-response/v1/newSession" + query)
            #expect(answer.status == 400 && answer.member == member)
        }
    }

    @Test("The requester's nonce is echoed, and never stands in for the verifier's") func requesterNonce() async throws
    {
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, _ in
            let nonce = [UInt8](repeating: 7, count: 16)
            let session = try await machine.session("?nonce=" + Base64URL.encode(nonce))
            #expect(session.nonce != nonce && session.nonce.count == 32)
            let stale = try await machine.answer(session) { $0.nonce = nonce }
            #expect(try stale.json["findings"]?.elements?.first?["rule"]?.string == "nonce")
            let again = try await machine.session("?nonce=" + Base64URL.encode(nonce))
            let claims = try Self.claims(await machine.answer(again))
            #expect(claims.bytes("eat_nonce") == nonce)
        }
    }

    @Test("A challenge is good for one answer, also after a restart", arguments: [true, false])
    func replay(_ firstIsGood: Bool) async throws {
        let verifier = try verifierWithPolicy()
        let tpm = try SimulatedTPM()
        let (session, evidence) = try await verifier.run { client in
            let machine = SimulatedMachine(tpm, client)
            try await machine.enrol(administrator: verifier.administrator)
            let session = try await machine.session()
            let evidence = try tpm.evidence(nonce: session.nonce, session.selection).bytes
            let first = try await firstIsGood ? machine.send(evidence, to: session) : machine.send([0x7B], to: session)
            #expect(first.status == (firstIsGood ? 200 : 400))
            let replayed = try await machine.send(evidence, to: session)
            #expect(replayed.status == 409 && replayed.problem == "challenge-used")
            return (session, evidence)
        }
        try await verifier.run { client in
            let replayed = try await SimulatedMachine(tpm, client).send(evidence, to: session)
            #expect(replayed.status == 409 && replayed.problem == "challenge-used")
        }
    }

    @Test("Of many answers to one challenge at once, one gets a passport") func race() async throws {
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, _ in
            let session = try await machine.session()
            let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await machine.send(evidence, to: session).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 409 }.count == 7)
        }
    }

    @Test("A session runs out, and one that we did not seal does not exist") func sessions() async throws {
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, client in
            let session = try await machine.session()
            verifier.clock.advance(by: 151)
            let late = try await machine.answer(session)
            #expect(late.status == 410 && late.problem == "session-expired")
            let fresh = try await machine.session()
            var id = Array(fresh.path.utf8)
            id[id.count - 10] = id[id.count - 10] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            for path in [String(decoding: id, as: UTF8.self), "/challenge-response/v1/session/x", fresh.path + "A"] {
                let answer = try await client.call(.post, path, type: Evidence.mediaType, body: Array("{}".utf8))
                #expect(answer.status == 404)
            }
            let other = try await VerifierUnderTest().run { try await SimulatedMachine(machine.tpm, $0).session() }
            #expect(try await client.call(.post, other.path, type: Evidence.mediaType, body: [0x7B]).status == 404)
        }
    }

    /// What a machine could send that proves nothing, with the rule that says so.
    static let proofless: [(rule: String, spoil: @Sendable (inout SimulatedTPM.Parts) -> Void)] = [
        ("nonce", { $0.nonce[31] ^= 1 }), ("nonce", { $0.nonce = [] }),
        ("pcr-selection", { $0.selection = TPM.PCRSelectionList(bank: .sha256, indices: 0..<7) }),
        ("pcr-selection", { $0.selection = TPM.PCRSelectionList(bank: .sha256, indices: 0..<9) }),
        ("pcr-not-measured", { $0.registers[0] = [UInt8](repeating: 0, count: 32) }),
        ("boot-counters", { $0.clock = 1 }), ("boot-counters", { $0.resetCount = 0 }),
        ("event-log-missing", { $0.log = nil }),
        ("event-log-unreadable", { $0.log = [1, 2, 3] }),
        ("pcr-unexplained", { $0.log = SimulatedTPM.badLog.bytes }),
        ("unknown-attestation-key", { $0.name = $0.name.qualified(under: .endorsement) }),
    ]

    @Test(
        "Evidence that proves nothing gets findings and no token, and uses up its challenge",
        arguments: proofless.indices)
    func broken(_ index: Int) async throws {
        let (rule, spoil) = Self.proofless[index]
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, _ in
            let session = try await machine.session()
            let answer = try await machine.answer(session, spoil)
            #expect(answer.status == 200)
            let json = try answer.json
            #expect(json["status"]?.string == "failed")
            #expect(json["result"] == nil)
            let finding = json["findings"]?.elements?.first
            #expect(finding?["family"]?.string == "broken-evidence-chain")
            #expect(finding?["rule"]?.string == rule)
            #expect(try await machine.answer(session).status == 409)
        }
    }

    @Test("An authentic machine that is not as it should be gets a signed contraindication") func tampered()
        async throws
    {
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, _ in
            machine.tpm.reboot(SimulatedTPM.badLog)
            let answer = try await machine.answer(machine.session())
            #expect(try answer.json["status"]?.string == "complete")
            let finding = try #require(try answer.json["findings"]?.elements?.first)
            #expect(finding["family"]?.string == "policy-violation")
            #expect(finding["pcr"]?.integer == 4)
            #expect(finding["event"]?.integer != nil)
            #expect(try Self.claims(answer)["ear_status"]?.string == "contraindicated")
        }
    }

    @Test("Without a policy nothing is affirmed") func noPolicy() async throws {
        let verifier = try VerifierUnderTest()
        try await withMachine(verifier) { machine, _ in
            let answer = try await machine.answer(machine.session())
            #expect(try Self.claims(answer)["ear_status"]?.string == "none")
            #expect(try answer.json["findings"]?.elements?.first?["rule"]?.string == "no-policy")
        }
    }

    @Test("A session that names an attestation key is good for no other") func foreignKey() async throws {
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, client in
            let other = SimulatedMachine(try SimulatedTPM(), named: "node-2", client)
            try await other.enrol(administrator: verifier.administrator)
            let query = "?ak=" + Base64URL.encode(machine.tpm.attestationArea.name.bytes)
            let foreign = try await other.answer(machine.session(query))
            #expect(try foreign.json["findings"]?.elements?.first?["rule"]?.string == "attestation-key")
            let own = try await machine.answer(machine.session(query))
            #expect(try own.json["status"]?.string == "complete")
        }
    }

    @Test("A pending machine, an unknown one and a removed one get no passport") func notApproved() async throws {
        let authority = try TestAuthority()
        let verifier = try verifierWithPolicy { $0.trustAnchors = authority.folder }
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            func rule() async throws -> String? {
                let answer = try await machine.answer(machine.session())
                #expect(answer.status == 200)
                return try answer.json["findings"]?.elements?.first?["rule"]?.string
            }
            #expect(try await rule() == "unknown-attestation-key")
            let certificate = try authority.certificate(for: machine.tpm.endorsementKey.publicKey)
            let activated = try await machine.activate(machine.open(machine.begin(certificate: certificate)))
            let id = try #require(try activated.json["id"]?.string)
            #expect(try await rule() == "node-not-approved")
            let admin = try verifier.administrator
            let approved = try await client.call(.post, "/admin/v1/nodes/\(id)/approval", token: admin)
            #expect(try approved.json["state"]?.string == "approved")
            #expect(try await rule() == nil)
            _ = try await client.call(.delete, "/admin/v1/nodes/\(id)", token: admin)
            #expect(try await rule() == "unknown-attestation-key")
        }
    }

    @Test("Keys in the database that no longer satisfy the rules fail their machine, and no other") func storedKeys()
        async throws
    {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let good = SimulatedMachine(try SimulatedTPM(), client)
            try await good.enrol(administrator: verifier.administrator)
            let bad = SimulatedMachine(try SimulatedTPM(), named: "node-2", client)
            try await bad.enrol(administrator: verifier.administrator)
            let weak = try SimulatedTPM(attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .sign])
            for area in [weak.attestationArea.bytes, good.tpm.attestationArea.bytes, [], [1, 2, 3]] {
                let database = try await verifier.database.open()
                try await database.write {
                    try $0.execute("UPDATE nodes SET ak_public = \(area) WHERE name = 'node-2'")
                }
                let answer = try await bad.answer(bad.session())
                #expect(try answer.json["status"]?.string == "failed")
                #expect(try answer.json["findings"]?.elements?.first?["rule"]?.string == "enrolled-keys")
            }
            let answer = try await good.answer(good.session())
            #expect(try answer.json["status"]?.string == "complete")
        }
    }

    @Test("Counters never go backwards, across restarts of the verifier and boots of the machine") func counters()
        async throws
    {
        let verifier = try verifierWithPolicy()
        let tpm = try SimulatedTPM()
        try await verifier.run { client in
            let machine = SimulatedMachine(tpm, client)
            try await machine.enrol(administrator: verifier.administrator)
            tpm.reboot()
            #expect(try await machine.answer(machine.session()).json["status"]?.string == "complete")
        }
        tpm.forgetBoots()
        try await verifier.run { client in
            let machine = SimulatedMachine(tpm, client)
            let answer = try await machine.answer(machine.session())
            #expect(try answer.json["findings"]?.elements?.first?["rule"]?.string == "boot-counters")
            tpm.reboot()
            tpm.reboot()
            #expect(try await machine.answer(machine.session()).json["status"]?.string == "complete")
        }
    }

    @Test("Evidence may come inside a CMW record") func wrapped() async throws {
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, _ in
            let session = try await machine.session()
            let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
            let record = #"["\#(Evidence.mediaType)","\#(Base64URL.encode(evidence))"]"#
            let answer = try await machine.send(Array(record.utf8), to: session, type: "application/cmw+json")
            #expect(try answer.json["status"]?.string == "complete")
        }
    }

    @Test(
        "Evidence that cannot be read is a problem that names the member, and uses up its challenge",
        arguments: [
            ("", nil), ("null", nil), ("{}", "ak"), (#"{"ak":"AAAA"}"#, "ak"), (#"{"ak":7}"#, "ak"), ("[1,2]", nil),
            (#"{"a":[[[[[[[[]]]]]]]]}"#, nil), (#"{"ak":"AA","ak":"AA"}"#, nil), ("\u{0}", nil),
        ] as [(String, String?)])
    func unreadable(_ evidence: String, _ member: String?) async throws {
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, client in
            let session = try await machine.session()
            let answer = try await machine.send(Array(evidence.utf8), to: session)
            #expect(answer.status == 400 && answer.problem == "malformed-request")
            if let member { #expect(answer.member == member) }
            #expect(answer.body.count < 2048)
            #expect(try await machine.answer(session).status == 409)
            let list = try await client.call(.get, "/admin/v1/appraisals", token: verifier.administrator).json
            let kinds = list["appraisals"]?.elements?.compactMap { $0["kind"]?.string }
            #expect(kinds == [], "what anybody can send leaves nothing that lasts")
        }
    }

    @Test("Evidence that is too large or of another kind is refused before its session is touched") func outside()
        async throws
    {
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, client in
            let session = try await machine.session()
            // The answer comes before the body, and ends the connection: whoever goes on to send would not see it.
            let connection = try RawConnection(port: client.port)
            connection.send(
                "POST \(session.path) HTTP/1.1\r\nHost: x\r\nContent-Type: \(Evidence.mediaType)\r\n"
                    + "Content-Length: \(Evidence.maximumByteCount + 1)\r\n\r\n{")
            #expect(await connection.readUntilClosed()?.hasPrefix("HTTP/1.1 413") == true)
            #expect(try await machine.send([0x7B], to: session, type: "application/json").status == 415)
            #expect(try await machine.answer(session).json["status"]?.string == "complete")
        }
    }

    @Test("What was decided is in the ledger, with its reasons and without its secrets") func ledger() async throws {
        let verifier = try verifierWithPolicy()
        try await withMachine(verifier) { machine, client in
            machine.tpm.reboot(SimulatedTPM.badLog)
            let session = try await machine.session()
            let answer = try await machine.answer(session)
            let list = try await client.call(.get, "/admin/v1/appraisals", token: verifier.administrator)
            let entry = try #require(try list.json["appraisals"]?.elements?.first)
            #expect(entry["outcome"]?.string == "contraindicated")
            #expect(entry["kind"]?.string == "passport")
            #expect(entry["findings"]?.elements?.first?["pcr"]?.integer == 4)
            #expect(try entry["jti"]?.string == Self.claims(answer)["jti"]?.string)
            #expect(!list.text.contains(Base64URL.encode(session.nonce)))
        }
    }

    private static func claims(_ answer: ServiceClient.Answer) throws -> JSONNode {
        let token = try #require(try answer.json["result"]?.string)
        let payload = try #require(Base64URL.decode(token.split(separator: ".")[1]))
        return try JSONDocument(parsing: payload, maximumByteCount: 8192).root
    }
}
