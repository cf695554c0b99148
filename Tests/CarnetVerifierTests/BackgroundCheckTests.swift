import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import CarnetService
import HTTPTypes
import ServiceHarness
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// Relying parties ask about one enrolled machine. The verifier has a policy for its good boot.
@Suite struct BackgroundCheckTests {
    private static let path = "/background-check/v1/appraisals"
    private static let selection = TPM.PCRSelectionList(bank: .sha256, indices: 0..<8)
    private static let nonce = [UInt8](repeating: 9, count: 16)

    private func withMachine(
        _ body: @Sendable (SimulatedMachine, ServiceClient, VerifierUnderTest, String) async throws -> Void
    ) async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let token = try await verifier.token(.relyingParty, named: "https://disk.example", client)
            try await body(machine, client, verifier, token)
        }
    }

    private func ask(
        _ tpm: SimulatedTPM, _ client: ServiceClient, _ token: String, nonce: [UInt8] = nonce,
        signing: [UInt8]? = nil, accepting accept: String? = nil,
        wrapping wrap: ([UInt8]) -> [UInt8] = { $0 }
    ) async throws -> ServiceClient.Answer {
        let evidence = try tpm.evidence(nonce: signing ?? nonce, Self.selection)
        let body = JSONWriter.object { writer in
            writer.base64URL("nonce", nonce)
            writer.json("evidence", wrap(evidence.bytes))
        }
        return try await client.call(
            .post, Self.path, token: token, type: "application/json", headers: accept.map { [("Accept", $0)] } ?? [],
            body: body)
    }

    @Test("The result comes alone where that is wanted, and what is not there is refused before the nonce is used")
    func alone() async throws {
        try await withMachine { machine, client, verifier, token in
            let refused = try await ask(machine.tpm, client, token, accepting: "application/xml")
            #expect(refused.status == 406 && refused.problem == "not-acceptable")
            let answer = try await ask(machine.tpm, client, token, accepting: "application/eat+jwt")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(
                answer.header("content-type")
                    == #"application/eat+jwt; eat_profile="tag:ietf.org,2026:rats/ear#04""#)
            var expectations = Expectations(issuer: VerifierUnderTest.issuer, audience: "https://disk.example")
            expectations.nonce = Self.nonce
            let keys = try await client.call(.get, "/.well-known/jwks.json").body
            let verified = try await PassportVerifier(keySet: keys, expectations: expectations)
                .checking(client.statusLists()).verify(answer.body, at: verifier.clock.now)
            #expect(verified.status == .affirming)
            let nonce = [UInt8](repeating: 7, count: 16)
            let broken = try await ask(
                machine.tpm, client, token, nonce: nonce, signing: Self.nonce, accepting: "application/eat+jwt")
            #expect(broken.status == 422 && broken.problem == "no-result")
            #expect(try await ask(machine.tpm, client, token, nonce: nonce).status == 409)
        }
    }

    @Test("Evidence may be a CMW record, and nothing else in an array") func wrapped() async throws {
        try await withMachine { machine, client, _, token in
            func record(_ evidence: [UInt8], _ type: String) -> [UInt8] {
                Array(#"["\#(type)","\#(Base64URL.encode(evidence))",4]"#.utf8)
            }
            let other = try await ask(machine.tpm, client, token) { record($0, "application/eat+cwt") }
            #expect(other.status == 400 && other.member == "evidence[0]")
            let answer = try await ask(machine.tpm, client, token) { record($0, Evidence.mediaType) }
            #expect(try answer.json["status"]?.string == "complete", "\(answer.text)")
        }
    }

    @Test("One call gives a signed result for this relying party, over its own nonce") func good() async throws {
        try await withMachine { machine, client, verifier, token in
            let requirements = try await client.call(.get, "/background-check/v1/requirements", token: token).json
            #expect(requirements["pcr_selection"]?.elements?.first?["pcrs"]?.count == 8)
            #expect(requirements["event_log"]?.string == "required")
            let answer = try await ask(machine.tpm, client, token)
            #expect(answer.status == 200)
            #expect(try answer.json["status"]?.string == "complete")
            let result = Array(try #require(try answer.json["result"]?.string).utf8)
            let keys = try await client.call(.get, "/.well-known/jwks.json").body
            var expectations = Expectations(issuer: VerifierUnderTest.issuer, audience: "https://disk.example")
            expectations.nonce = Self.nonce
            let lists = try await client.statusLists()
            let verified = try PassportVerifier(keySet: keys, expectations: expectations).checking(lists).verify(
                result, at: verifier.clock.now)
            #expect(verified.status == .affirming)
            let vault = Expectations(issuer: VerifierUnderTest.issuer, audience: VerifierUnderTest.audience)
            #expect(throws: (any Error).self) {
                try PassportVerifier(keySet: keys, expectations: vault).checking(lists).verify(
                    result, at: verifier.clock.now)
            }
            let list = try await client.call(.get, "/admin/v1/appraisals", token: verifier.administrator).json
            let entry = try #require(list["appraisals"]?.elements?.first)
            #expect(entry["kind"]?.string == "background-check")
            #expect(
                entry["requester"]?.string
                    == token.dropFirst("carnet-".count).split(separator: ".").first.map(String.init))
        }
    }

    @Test("A nonce is used once by each relying party, whatever came of it") func replay() async throws {
        try await withMachine { machine, client, verifier, token in
            let first = try await ask(machine.tpm, client, token, signing: [UInt8](repeating: 1, count: 16))
            #expect(try first.json["status"]?.string == "failed")
            let again = try await ask(machine.tpm, client, token)
            #expect(again.status == 409 && again.problem == "challenge-used")
            let other = try await verifier.token(.relyingParty, named: "https://other.example", client)
            #expect(try await ask(machine.tpm, client, other).json["status"]?.string == "complete")
        }
    }

    @Test("Evidence for two relying parties may arrive in either order, within one boot and five minutes")
    func order() async throws {
        try await withMachine { machine, client, verifier, token in
            let other = try await verifier.token(.relyingParty, named: "https://other.example", client)
            func question(_ nonce: UInt8, clock: UInt64) throws -> [UInt8] {
                let nonce = [UInt8](repeating: nonce, count: 32)
                let selection = TPM.PCRSelectionList(bank: .sha256, indices: 0..<8)
                let evidence = try machine.tpm.evidence(nonce: nonce, selection) { $0.clock = clock }
                return JSONWriter.object { writer in
                    writer.base64URL("nonce", nonce)
                    writer.json("evidence", evidence.bytes)
                }
            }
            func status(_ body: [UInt8], _ token: String) async throws -> String? {
                try await client.call(
                    .post, "/background-check/v1/appraisals", token: token, type: "application/json", body: body
                ).json["status"]?.string
            }
            #expect(try await status(question(2, clock: 2_000_000), token) == "complete")
            #expect(try await status(question(1, clock: 1_900_000), other) == "complete")
            #expect(
                try await status(question(3, clock: 1_600_000), other) == "failed", "older than that proves nothing")
            // The newest counters stay: a passport still needs a newer quote.
            let session = try await machine.session()
            let late = try await machine.answer(session) { $0.clock = 1_950_000 }
            #expect(try late.json["status"]?.string == "failed")
        }
    }

    @Test("A tampered machine is contraindicated, with the event that changed it") func tampered() async throws {
        try await withMachine { machine, client, _, token in
            machine.tpm.reboot(SimulatedTPM.badLog)
            let answer = try await ask(machine.tpm, client, token)
            #expect(try answer.json["status"]?.string == "complete")
            #expect(try answer.json["findings"]?.elements?.first?["pcr"]?.integer == 4)
        }
    }

    @Test("An operator's token does not open it, nor does a revoked one") func credentials() async throws {
        try await withMachine { machine, client, verifier, token in
            let admin = try verifier.administrator
            #expect(try await ask(machine.tpm, client, admin).status == 403)
            let id = try #require(token.dropFirst("carnet-".count).split(separator: ".").first)
            _ = try await client.call(.delete, "/admin/v1/api-tokens/\(id)", token: admin)
            #expect(try await ask(machine.tpm, client, token).status == 401)
        }
    }

    @Test(
        "A malformed question names the member",
        arguments: [
            ("", nil), ("{}", "nonce"), (#"{"nonce":"AAAA"}"#, "nonce"),
            (#"{"nonce":"AAAAAAAAAAAAAAAAAAAAAA"}"#, "evidence"),
            (#"{"nonce":"AAAAAAAAAAAAAAAAAAAAAA","evidence":{}}"#, "evidence.ak"),
            (#"{"nonce":7,"evidence":{}}"#, "nonce"),
            (#"{"nonce":"AAAAAAAAAAAAAAAAAAAAAA","evidence":7}"#, "evidence"),
            (#"{"nonce":"AAAAAAAAAAAAAAAAAAAAAA","evidence":{},"aud":"x"}"#, "aud"),
        ] as [(String, String?)])
    func malformed(_ body: String, _ member: String?) async throws {
        try await withMachine { _, client, _, token in
            let answer = try await client.send(.post, Self.path, token: token, body)
            #expect(answer.status == 400 && answer.member == member)
        }
    }
}
