import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import CarnetService
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Speaks as Veraison's Go client does: one `Accept`, a location that is relative, a status that has to be `complete`.
private struct VeraisonClient {
    static let accept = [("Accept", "application/vnd.veraison.challenge-response-session+json")]
    let client: ServiceClient

    struct Failure: Error { let answer: String }

    /// The session's path and nonce.
    func newSession(_ query: String) async throws -> (path: String, nonce: [UInt8], accept: [String]) {
        let path = "/challenge-response/v1/newSession"
        let answer = try await client.call(.post, path + query, headers: Self.accept)
        guard answer.status == 201, let location = answer.header("location"), !location.contains(":"),
            try answer.json["status"]?.string == "waiting", let nonce = try answer.json.bytes("nonce"),
            try answer.json["expiry"]?.string?.hasSuffix("Z") == true
        else { throw Failure(answer: answer.text) }
        let accept = try answer.json["accept"]?.elements?.compactMap(\.string) ?? []
        return ("/challenge-response/v1/" + location, nonce, accept)
    }

    /// The result: a string of JSON.
    func result(of evidence: [UInt8], type: String, at path: String) async throws -> String {
        let answer = try await client.call(.post, path, type: type, headers: Self.accept, body: evidence)
        guard answer.status == 200, try answer.json["status"]?.string == "complete",
            let result = try answer.json["result"]?.string
        else { throw Failure(answer: answer.text) }
        return result
    }

    /// The state of a session, without `Accept`, as its polling does.
    func state(at path: String) async throws -> JSONNode {
        let answer = try await client.call(.get, path)
        guard answer.status == 200 else { throw Failure(answer: answer.text) }
        return try answer.json
    }
}

/// Clients of Veraison's challenge-response API. The verifier has a policy for the machine's good boot.
@Suite struct VeraisonTests {
    private func withMachine(
        _ body: @Sendable (SimulatedMachine, ServiceClient, VerifierUnderTest) async throws -> Void
    ) async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            try await body(machine, client, verifier)
        }
    }

    private static func record(_ evidence: [UInt8]) -> String {
        #"["\#(Evidence.mediaType)","\#(Base64URL.encode(evidence))",4]"#
    }

    @Test(
        "A client gets its result by the key that discovery names, whichever nonce and wrapping it asks for",
        arguments: [
            ("?nonceSize=32", 32, Evidence.mediaType), ("?nonceSize=64", 64, Evidence.mediaType),
            ("?nonceSize=8", 32, "application/vnd.veraison.cmw+json"), ("?nonceSize=33", 33, "application/cmw+json"),
            ("?nonce=AAAAAAAAAAA", 32, "application/cmw+json; cmwc_t=\"tag:example.com,2026:x\""),
            ("", 32, "Application/CMW+JSON"),
        ])
    func whole(_ query: String, _ nonceCount: Int, _ type: String) async throws {
        try await withMachine { machine, client, verifier in
            let veraison = VeraisonClient(client: client)
            let session = try await veraison.newSession(query)
            #expect(session.nonce.count == nonceCount)
            #expect(session.accept.first == Evidence.mediaType)
            let selection = try await machine.session().selection
            let evidence = try machine.tpm.evidence(nonce: session.nonce, selection).bytes
            let sent =
                type == Evidence.mediaType
                ? evidence
                : Array(
                    (type.contains(";") ? #"{"__cmwc_t":"tag:example.com,2026:x","e":R}"# : "R")
                        .replacing("R", with: Self.record(evidence)).utf8)
            let result = try await veraison.result(of: sent, type: type, at: session.path)
            let discovery = try await client.call(.get, "/.well-known/veraison/verification").text
            let start = try #require(discovery.firstRange(of: #""ear-verification-key":"#)?.upperBound)
            let end = try #require(discovery[start...].firstIndex(of: "}"))
            let keys = Array(#"{"keys":[\#(discovery[start...end])]}"#.utf8)
            var expectations = Expectations(issuer: VerifierUnderTest.issuer, audience: VerifierUnderTest.audience)
            expectations.nonce = query.hasPrefix("?nonce=") ? [UInt8](repeating: 0, count: 8) : session.nonce
            let verified = try await PassportVerifier(keySet: keys, expectations: expectations)
                .checking(client.statusLists()).verify(Array(result.utf8), at: verifier.clock.now)
            #expect(verified.status == .affirming)
            // What is kept can be read again.
            let admin = try verifier.administrator
            let nodes = try await client.call(.get, "/admin/v1/nodes", token: admin).json
            let id = try #require(nodes["nodes"]?.elements?.first?["id"]?.string)
            let kept = try await client.call(.get, "/admin/v1/nodes/\(id)/evidence", token: admin)
            let place = try #require(try kept.json["appraisal"]?.string, "\(kept.text)")
            let again = try await client.call(.post, "/admin/v1/appraisals/\(place)/reappraisal", token: admin)
            #expect(try again.json["same"]?.boolean == true, "\(again.text)")
        }
    }

    @Test("A session waits, is complete, and is gone; it never shows its result again") func life() async throws {
        try await withMachine { machine, client, _ in
            let veraison = VeraisonClient(client: client)
            let session = try await machine.session("?nonceSize=32")
            let waiting = try await veraison.state(at: session.path)
            #expect(waiting["status"]?.string == "waiting" && waiting.bytes("nonce") == session.nonce)
            #expect(waiting["accept"]?.count == 3 && waiting["expiry"]?.string != nil)
            let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
            _ = try await veraison.result(of: evidence, type: Evidence.mediaType, at: session.path)
            let complete = try await veraison.state(at: session.path)
            #expect(complete["status"]?.string == "complete" && complete["result"] == nil)
            #expect(try await machine.send(evidence, to: session).problem == "challenge-used")
            let removed = try await client.call(.delete, session.path)
            #expect(removed.status == 204 && removed.body.isEmpty)
            for method in [HTTPRequest.Method.get, .delete] {
                let answer = try await client.call(method, session.path)
                #expect(answer.status == 404 && answer.problem == "not-found")
            }
            #expect(try await machine.send(evidence, to: session).status == 404)
        }
    }

    @Test("Evidence for a session that was removed gets no result, also later") func removed()
        async throws
    {
        try await withMachine { machine, client, verifier in
            let session = try await machine.session()
            let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
            #expect(try await client.call(.delete, session.path).status == 204)
            let answer = try await machine.send(evidence, to: session)
            #expect(answer.status == 404 && !answer.text.contains("eyJ"))
            // Somebody else's use of the table does not bring it back.
            verifier.clock.advance(by: 100)
            #expect(try await machine.answer(machine.session()).status == 200)
            #expect(try await machine.send(evidence, to: session).status == 404)
        }
    }

    @Test("Of many who remove a session while evidence comes, one does, and there is one answer at most") func race()
        async throws
    {
        try await withMachine { machine, client, _ in
            let session = try await machine.session()
            let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
            let statuses = try await withThrowingTaskGroup(of: (Bool, Int).self) { group in
                for index in 0..<8 {
                    group.addTask {
                        index % 2 == 0
                            ? (true, try await client.call(.delete, session.path).status)
                            : (false, try await machine.send(evidence, to: session).status)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0.0 && $0.1 == 204 }.count == 1)
            #expect(statuses.filter { $0.0 && $0.1 == 404 }.count == 3)
            #expect(statuses.filter { !$0.0 && $0.1 == 200 }.count <= 1)
            #expect(statuses.filter { !$0.0 }.allSatisfy { [200, 404, 409].contains($0.1) })
        }
    }

    @Test("Evidence that proves nothing, or cannot be read, leaves a session that failed") func failed() async throws {
        try await withMachine { machine, client, _ in
            let veraison = VeraisonClient(client: client)
            let broken = try await machine.session()
            #expect(try await machine.answer(broken) { $0.nonce = [] }.json["status"]?.string == "failed")
            #expect(try await veraison.state(at: broken.path)["status"]?.string == "failed")
            let unreadable = try await machine.session()
            #expect(try await machine.send([0x7B], to: unreadable).status == 400)
            #expect(try await veraison.state(at: unreadable.path)["status"]?.string == "failed")
        }
    }

    @Test(
        "A session that does not exist is not found, and one that ran out is gone",
        arguments: [HTTPRequest.Method.get, .delete])
    func others(_ method: HTTPRequest.Method) async throws {
        try await withMachine { machine, client, verifier in
            let session = try await machine.session()
            for path in [session.path + "A", "/challenge-response/v1/session/3b1c", String(session.path.dropLast(2))] {
                #expect(try await client.call(method, path).status == 404)
            }
            verifier.clock.advance(by: 151)
            let late = try await client.call(method, session.path)
            #expect(late.status == 410 && late.problem == "session-expired")
        }
    }

    @Test("What a client does not accept is refused before anything is used up") func notAcceptable() async throws {
        try await withMachine { machine, client, _ in
            let xml = [("Accept", "application/xml")]
            let refused = try await client.call(.post, "/challenge-response/v1/newSession", headers: xml)
            #expect(refused.status == 406 && refused.problem == "not-acceptable")
            // A new session is no result.
            let jwt = [("Accept", "application/eat+jwt")]
            #expect(try await client.call(.post, "/challenge-response/v1/newSession", headers: jwt).status == 406)
            let session = try await machine.session()
            #expect(try await client.call(.get, session.path, headers: xml).status == 406)
            let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
            let answer = try await client.call(
                .post, session.path, type: Evidence.mediaType, headers: xml, body: evidence)
            #expect(answer.status == 406)
            let other = try await client.call(.post, session.path, type: "application/eat+cwt", body: evidence)
            #expect(other.status == 415 && other.problem == "unsupported-media-type")
            #expect(other.header("accept")?.contains(Evidence.mediaType) == true)
            #expect(try await machine.send(evidence, to: session).status == 200)
        }
    }

    @Test("The result alone, for who wants only that; where there is none it is a problem") func alone() async throws {
        try await withMachine { machine, client, verifier in
            let jwt = [("Accept", "application/eat+jwt, application/json;q=0.1")]
            let session = try await machine.session()
            let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
            let answer = try await client.call(
                .post, session.path, type: Evidence.mediaType, headers: jwt, body: evidence)
            #expect(answer.status == 200)
            #expect(
                answer.header("content-type")
                    == #"application/eat+jwt; eat_profile="tag:ietf.org,2026:rats/ear#04""#)
            let keys = try await client.call(.get, "/.well-known/jwks.json").body
            let expectations = Expectations(issuer: VerifierUnderTest.issuer, audience: VerifierUnderTest.audience)
            let verified = try await PassportVerifier(keySet: keys, expectations: expectations)
                .checking(client.statusLists()).verify(answer.body, at: verifier.clock.now)
            #expect(verified.status == .affirming)
            let second = try await machine.session()
            let stale = try await client.call(
                .post, second.path, type: Evidence.mediaType, headers: jwt, body: evidence)
            #expect(stale.status == 422 && stale.problem == "no-result")
            #expect(stale.text.contains("nonce") && !stale.text.contains("eyJ"))
            #expect(try await VeraisonClient(client: client).state(at: second.path)["status"]?.string == "failed")
        }
    }

    @Test("What the media type says is what is read, and the other uses up its challenge") func form() async throws {
        try await withMachine { machine, _, _ in
            for isWrapped in [true, false] {
                let session = try await machine.session()
                let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
                let answer = try await machine.send(
                    isWrapped ? Array(Self.record(evidence).utf8) : evidence, to: session,
                    type: isWrapped ? Evidence.mediaType : "application/cmw+json")
                #expect(answer.status == 400 && answer.problem == "malformed-request")
                #expect(try await machine.answer(session).status == 409)
            }
        }
    }
}
