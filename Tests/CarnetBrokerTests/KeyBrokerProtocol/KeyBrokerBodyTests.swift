import BrokerHarness
import CarnetBroker
import CarnetService
import CarnetStorage
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// What is no request of the protocol, answered in the protocol's words: never as the broker's fault.
@Suite struct KeyBrokerBodyTests {
    /// Answers to it are the protocol's: two members at least, no problem document, and the client's fault.
    private func expectRefusal(
        _ answer: ServiceClient.Answer, _ status: Int, _ error: String, _ what: String,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(
            answer.status == status && answer.keyBrokerError == error, "\(what): \(answer.text)",
            sourceLocation: location)
        #expect(answer.header("Content-Type") == "application/json", "\(what)", sourceLocation: location)
        #expect(try answer.json["detail"]?.string?.isEmpty == false, "\(what)", sourceLocation: location)
    }

    @Test("Bodies of another kind, or longer than is read, are told so, and use no session up") func kinds()
        async throws
    {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let session = try await guest.session()
            let good = Array(try guest.evidence(session.nonce).utf8), cookie = [("Cookie", session.cookie)]
            for path in ["/kbs/v0/auth", "/kbs/v0/attest"] {
                for type in ["text/plain", "application/jwt", "application/json+x", "application", nil] {
                    let answer = try await client.call(.post, path, type: type, headers: cookie, body: good)
                    try expectRefusal(answer, 415, "SerdeError", "\(path) as \(type ?? "nothing")")
                }
                let coded = try await client.call(
                    .post, path, type: "application/json", headers: cookie + [("Content-Encoding", "gzip")], body: good)
                try expectRefusal(coded, 415, "SerdeError", path)
                let long = [UInt8](repeating: UInt8(ascii: " "), count: 65_537)
                for isChunked in [false, true] {
                    let answer = try await client.call(
                        .post, path, type: "application/json", headers: cookie, body: long, chunked: isChunked)
                    try expectRefusal(answer, 413, "SerdeError", path)
                }
            }
            let resource = try await client.call(
                .get, "/kbs/v0/resource/default/key/1", type: "application/json", headers: cookie, body: good)
            try expectRefusal(resource, 413, "SerdeError", "a resource asked for with a body")
            #expect(try await guest.attest(session, String(decoding: good, as: UTF8.self)).status == 200)
        }
    }

    @Test("Deep JSON, members that occur twice, and what is no JSON are not read") func texts() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let deep = String(repeating: "[", count: 30_000) + String(repeating: "]", count: 30_000)
            let auth = [
                #"{"version":"0.4.0","version":"0.4.0","tee":"tpm","extra-params":""}"#,
                #"{"version":"0.4.0","tee":"tpm","extra-params":{"supported-hash-algorithms":["sha384"],"supported-hash-algorithms":[]}}"#,
                #"{"version":"0.4.0","tee":"tpm","extra-params":\#(deep.prefix(1500))\#(deep.suffix(1500))}"#,
                #"{"version":"0.4.0","tee":"tpm","extra-params":""}{}"#, "", "null", "\u{0}", "\u{FEFF}{}", "{]",
                #"{"version":"0.4.0","tee":"tpm\u0000","extra-params":""}"#,
                "{\"version\":\"0.4.0\",\"tee\":\"tpm\",\"extra-params\":[\(String(repeating: "0,", count: 2000))0]",
            ]
            for body in auth {
                let answer = try await guest.begin(body)
                #expect(answer.status == 401 && answer.keyBrokerError == "SerdeError", "\(body.prefix(80))")
                #expect(answer.header("Set-Cookie") == nil)
            }
            let twice: [(String, String)] = [
                ("{\"init-data\":null", "{\"init-data\":null,\"init-data\":null"),
                ("\"runtime-data\":{", "\"runtime-data\":{\"nonce\":\"\","),
                ("\"tee-pubkey\":{", "\"tee-pubkey\":{\"kty\":\"EC\","),
                ("\"primary_evidence\":{", "\"primary_evidence\":{\"ak_public\":\"\","),
                ("\"tpm_quote\":{", "\"tpm_quote\":{\"message\":\"\","),
                ("\"additional_evidence\":\"\"", "\"additional_evidence\":\"\",\"additional_evidence\":\"\""),
                (
                    "\"additional_evidence\":\"\"",
                    "\"additional_evidence\":\(deep.prefix(20_000))\(deep.suffix(20_000))"
                ),
                ("\"init-data\":null", "\"init-data\":\(deep.prefix(5000))\(deep.suffix(5000))"),
            ]
            for (from, to) in twice {
                let session = try await guest.session()
                let good = try guest.evidence(session.nonce)
                let bad = good.replacingOccurrences(of: from, with: to)
                #expect(bad != good)
                let answer = try await guest.attest(session, bad)
                #expect(
                    answer.status == 401 && answer.keyBrokerError == "SerdeError", "\(to.prefix(80)): \(answer.text)")
            }
        }
    }

    @Test("Who asks too often is told so in the protocol's words, and when to come again") func rates() async throws {
        let broker = try BrokerUnderTest { $0.limits.clientRate = RateLimit(perMinute: 1, burst: 2) }
        try await broker.run { client in
            var last: ServiceClient.Answer?
            for _ in 0..<4 { last = try await client.send(.post, "/kbs/v0/auth", "{}") }
            let answer = try #require(last)
            try expectRefusal(answer, 429, "AttestationError", "the fourth call")
            #expect(answer.header("Retry-After") != nil)
            let admin = try await client.send(.post, "/kbs/v0/resource-policy", "{}")
            #expect(admin.status == 429 && admin.keyBrokerError != nil)
        }
    }

    @Test("A database that is away is told as the protocol's internal error, and not as the client's") func database()
        async throws
    {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let (session, _) = try await guest.attested()
            let database = try await scene.broker.openDatabase()
            try await database.write { _ = try $0.execute("DROP TABLE kbs_sessions") }
            let answer = try await guest.resource(session: session)
            #expect(answer.status >= 500 && answer.keyBrokerError == "PluginInternalError", "\(answer.text)")
            #expect(!answer.text.contains("kbs_sessions"))
        }
    }
}
