import BrokerHarness
import CarnetBroker
import CarnetResult
import CarnetService
import Cryptography
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// Key-broker clients against a real broker and a real verifier: what they do not get, and what they are told.
@Suite struct KeyBrokerRefusalTests {
    /// One thing that is wrong with evidence.
    struct Spoilt: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The protocol's word, and what has to be said.
        var error = "AttestationError"
        let reason: String
        let spoil: @Sendable (inout KeyBrokerClient.Draft) throws -> Void
    }

    static let spoilt = [
        Spoilt(testDescription: "another nonce is signed", reason: "another challenge") {
            let other = $0.canonical.replacingOccurrences(
                of: $0.nonce, with: Base64.encode([UInt8](repeating: 1, count: 32)))
            $0.qualifyingData = Array(HashAlgorithm.sha384.hash(Array(other.utf8)).prefix(32))
        },
        Spoilt(testDescription: "another nonce is sent", reason: "another than this session's") {
            $0.nonce = Base64.encode([UInt8](repeating: 1, count: 32))
        },
        Spoilt(testDescription: "the key is another than the bound one", reason: "another challenge") {
            let canonical = $0.canonical
            $0.qualifyingData = Array(HashAlgorithm.sha384.hash(Array(canonical.utf8)).prefix(32))
            let other = try JSONWebKey(PrivateKey.generate().publicKey)
            $0.key[3].1 = Base64URL.encode(other.x)
            $0.key[4].1 = Base64URL.encode(other.y)
        },
        Spoilt(testDescription: "SHA-256 binds", reason: "another challenge") {
            $0.qualifyingData = HashAlgorithm.sha256.hash(Array($0.canonical.utf8))
        },
        Spoilt(testDescription: "the whole SHA-384 digest is signed", reason: "another challenge") {
            $0.qualifyingData = HashAlgorithm.sha384.hash(Array($0.canonical.utf8))
        },
        Spoilt(testDescription: "the further evidence is not bound", reason: "another challenge") {
            $0.qualifyingData = Array(HashAlgorithm.sha384.hash(Array($0.canonical.utf8)).prefix(32))
            $0.additional = "{}"
        },
        Spoilt(testDescription: "fewer PCRs are quoted", reason: "covers other PCRs") {
            $0.selection = TPM.PCRSelectionList(bank: .sha256, indices: 0..<23)
        },
        Spoilt(testDescription: "a PCR's value is altered", reason: "not those that the TPM signed") {
            $0.values = { $0[3] = String(repeating: "ab", count: 32) }
        },
        Spoilt(testDescription: "the key is a stranger's", reason: "No enrolled machine") {
            $0.attestationKey = try PrivateKey.generate().publicKey.subjectPublicKeyInfo
        },
        Spoilt(testDescription: "the TPM's counters went backwards", reason: "backwards") {
            $0.parts = { $0.resetCount = 0 }
        },
        Spoilt(testDescription: "the key is RSA", error: "JweError", reason: "Nothing is encrypted") {
            $0.key = [("alg", "RSA-OAEP-256"), ("e", "AQAB"), ("kty", "RSA"), ("n", "AQAB")]
        },
        Spoilt(testDescription: "the key's alg is another", error: "JweError", reason: "Nothing is encrypted") {
            $0.key[0].1 = "ECDH-ES"
        },
        Spoilt(testDescription: "the key is on P-521", error: "JweError", reason: "Nothing is encrypted") {
            $0.key[1].1 = "P-521"
        },
        Spoilt(testDescription: "the key is on no curve", error: "JweError", reason: "Nothing is encrypted") {
            $0.key[4].1 = $0.key[3].1
        },
        Spoilt(testDescription: "init-data is sent", reason: "init-data") {
            $0.text = {
                $0.replacingOccurrences(
                    of: "\"init-data\":null", with: "\"init-data\":{\"format\":\"toml\",\"body\":\"\"}")
            }
        },
    ]

    @Test("Evidence with one thing wrong gets no token, is told what, and uses the session up", arguments: spoilt)
    func refused(_ spoilt: Spoilt) async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let session = try await guest.session()
            let answer = try await guest.attest(session, guest.evidence(session.nonce, spoilt.spoil))
            #expect(answer.status == 401 && answer.keyBrokerError == spoilt.error, "\(answer.text)")
            #expect(try answer.json["detail"]?.string?.contains(spoilt.reason) == true, "\(answer.text)")
            let again = try await guest.attest(session, guest.evidence(session.nonce))
            #expect(again.status == 401 && again.keyBrokerError == "AttestationError")
            let resource = try await guest.resource(session: session)
            #expect(resource.status == 401 && resource.keyBrokerError == "TokenNotFound")
            #expect(try await scene.entries().contains { $0.kind == "kbs-attestation-refused" })
        }
    }

    @Test("Every member is needed, is of its kind, and there is no other") func members() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let changes: [(String, String)] = [
                ("\"runtime-data\":", "\"runtime\":"), ("\"tee-evidence\":", "\"evidence\":"),
                ("\"nonce\":\"", "\"none\":\""), ("\"tee-pubkey\":", "\"key\":"),
                ("\"primary_evidence\":", "\"evidence\":"), ("\"ak_public\":\"", "\"ak\":\""),
                ("\"tpm_quote\":", "\"quote\":"), ("\"signature\":\"", "\"signature\":\"!"),
                ("\"message\":\"", "\"message\":\"AAAA"), ("\"message\":", "\"attest\":"),
                ("\"pcrs\":[", "\"pcrs\":[\"00\","), ("\"pcrs\":[\"", "\"pcrs\":[\"x"),
                ("\"additional_evidence\":\"\"", "\"additional_evidence\":null"),
                (",\n \"additional_evidence\":\"\"", ""), ("\"init-data\":null", "\"other\":null"),
                ("\"tee-pubkey\":{", "\"tee-pubkey\":{\"kid\":\"1\","),
                ("\"primary_evidence\":{", "\"primary_evidence\":{\"event_log\":\"AAAA\","),
                ("\"tpm_quote\":{", "\"tpm_quote\":{\"bank\":\"sha256\","),
                ("\"runtime-data\":{", "\"runtime-data\":{\"extra\":1,"), ("{\"init-data\"", "[{\"init-data\""),
                ("\"alg\":\"ECDH-ES+A256KW\",", ""),
            ]
            for (from, to) in changes {
                let session = try await guest.session()
                let good = try guest.evidence(session.nonce)
                let bad = good.replacingOccurrences(of: from, with: to)
                #expect(bad != good)
                let answer = try await guest.attest(session, bad)
                #expect(answer.status == 401 && answer.keyBrokerError != nil, "\(from) → \(to): \(answer.text)")
            }
            let session = try await guest.session()
            let long = try await guest.attest(session, String(repeating: " ", count: 65_537))
            #expect(long.status == 413)
            // What was too long to be read used nothing up.
            #expect(try await guest.attest(session, guest.evidence(session.nonce)).status == 200)
        }
    }

    @Test("Evidence is worth nothing in another session, nor twice, nor to another broker") func replay() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let first = try await guest.session(), second = try await guest.session()
            let body = try guest.evidence(first.nonce)
            let other = try await guest.attest(second, body)
            #expect(other.status == 401 && other.keyBrokerError == "AttestationError")
            let cookies: [String] = [
                "", "kbs-session-id=", "kbs-session-id=" + String(repeating: "0", count: 80),
                String(first.cookie.dropLast()) + (first.cookie.hasSuffix("0") ? "1" : "0"),
                first.cookie.uppercased().replacingOccurrences(of: "KBS-SESSION-ID", with: "kbs-session-id"),
                first.cookie + "; " + first.cookie, first.cookie + "00",
            ]
            for cookie in cookies where cookie != first.cookie {
                let session = KeyBrokerClient.Session(cookie: cookie, nonce: first.nonce)
                let answer = try await guest.attest(session, body)
                #expect(answer.status == 401 && answer.keyBrokerError == "AttestationError", "\(cookie)")
            }
            #expect(try await guest.attest(first, body).status == 200)
        }
    }

    @Test("Sessions end, and so do tokens") func expiry() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let open = try await guest.session()
            let (session, token) = try await guest.attested()
            for clock in [scene.broker.clock, scene.verifier.clock] { clock.advance(by: 301) }
            let late = try await guest.attest(open, guest.evidence(open.nonce))
            #expect(late.status == 401 && late.keyBrokerError == "AttestationError")
            #expect(try await guest.attest(session, "{}").status == 401)
            #expect(try await guest.resource(session: session).keyBrokerError == "TokenNotFound")
            let answer = try await guest.resource(bearer: token)
            #expect(answer.status == 401 && answer.keyBrokerError == "TokenVerifierError", "\(answer.text)")
        }
    }

    @Test("A machine that nobody enrolled gets nothing, nor one whose boot is not the policy's")
    func strangers() async throws {
        try await KeyBrokerScene.run(enrolling: false) { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let session = try await guest.session()
            let answer = try await guest.attest(session, guest.evidence(session.nonce))
            #expect(answer.status == 401 && answer.text.contains("No enrolled machine"), "\(answer.text)")
        }
        try await KeyBrokerScene.run { scene, client in
            scene.tpm.reboot(SimulatedTPM.badLog)
            let guest = try KeyBrokerClient(client, scene.tpm)
            let session = try await guest.session()
            let answer = try await guest.attest(session, guest.evidence(session.nonce))
            #expect(answer.status == 401 && answer.keyBrokerError == "AttestationError", "\(answer.text)")
        }
    }

    @Test("A machine's policy that demands logs is told to be none for this protocol") func logs() async throws {
        try await KeyBrokerScene.run(machinePolicy: SimulatedTPM.policy()) { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let session = try await guest.session()
            let answer = try await guest.attest(session, guest.evidence(session.nonce))
            #expect(answer.status == 401 && answer.text.contains("carries none"), "\(answer.text)")
        }
    }

    @Test(
        "Nobody gets what no policy gives as kbs: not without one, not another's, not what is not there",
        arguments: [
            nil, KeyBrokerScene.policy.replacingOccurrences(of: "[kbs]", with: "[jwe]"),
            KeyBrokerScene.policy.replacingOccurrences(of: "forms: [kbs]\n", with: ""),
            KeyBrokerScene.policy.replacingOccurrences(of: "passport: {key_protection: software}\n", with: ""),
            KeyBrokerScene.policy.replacingOccurrences(of: "default/key/*", with: "other/key/*"),
            KeyBrokerScene.policy + "machines: [\"urn:carnet:node:11111111-2222-3333-4444-555555555555\"]\n",
        ] as [String?])
    func policies(_ policy: String?) async throws {
        try await KeyBrokerScene.run(policy: policy) { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let (session, _) = try await guest.attested()
            for name in ["default/key/1", "default/key/none"] {
                let answer = try await guest.resource(name, session: session)
                #expect(answer.status == 401 && answer.keyBrokerError == "PolicyDeny", "\(answer.text)")
            }
            #expect(try await scene.entries().contains { $0.kind == "release-refused" })
        }
    }

    @Test("What is not there is answered as what is refused, and a path that is none as the protocol does")
    func paths() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let (session, token) = try await guest.attested()
            let missing = try await guest.resource("default/key/none", session: session)
            #expect(missing.status == 401 && missing.keyBrokerError == "PolicyDeny")
            let path = try await guest.resource("default/key/%20", session: session)
            #expect(path.status == 404 && path.keyBrokerError == "InvalidRequestPath")
            let nobody = try await guest.resource()
            #expect(nobody.status == 401 && nobody.keyBrokerError == "TokenNotFound")
            let forged = try await guest.resource(bearer: String(token.dropLast(4)) + "AAAA")
            #expect(forged.status == 401 && forged.keyBrokerError == "TokenVerifierError")
        }
    }

    @Test(
        "Whatever is asked for below /kbs/v0 and is nothing is told in the protocol's words",
        arguments: [
            "/kbs/v0", "/kbs/v0/", "/kbs/v0/nope", "/kbs/v0/resource/default/key", "/kbs/v0/resource/key/1",
            "/kbs/v0/resource/default/key/1/2", "/kbs/v0/attest/x", "/kbs/v0/auth",
        ])
    func nothing(_ path: String) async throws {
        let broker = try BrokerUnderTest { $0.limits.clientRate = RateLimit(perMinute: 1, burst: 2) }
        try await broker.run { client in
            let answer = try await client.call(.get, path)
            #expect(answer.status == (path == "/kbs/v0/auth" ? 405 : 404), "\(answer.text)")
            #expect(answer.keyBrokerError == "InvalidRequestPath", "\(answer.text)")
            #expect(answer.header("Content-Type") == "application/json")
            _ = try await client.call(.get, path)
            let often = try await client.call(.get, path)
            #expect(often.status == 429 && often.keyBrokerError != nil, "\(often.text)")
        }
    }

    @Test(
        "Beside the protocol's paths problems are told as everywhere", arguments: ["/kbs/v1/auth", "/kbs/v0x", "/kbs"])
    func beside(_ path: String) async throws {
        let broker = try BrokerUnderTest()
        try await broker.run { client in
            let answer = try await client.call(.get, path)
            #expect(answer.status == 404 && answer.problem == "not-found", "\(answer.text)")
        }
    }

    @Test("A machine's own passport is no token of this protocol, and the form kbs is none of the machines' own")
    func passports() async throws {
        let broker = try BrokerUnderTest()
        try await broker.run { client in
            _ = try await broker.put("default/key/1", KeyBrokerScene.secret, client)
            try await broker.policy(KeyBrokerScene.policy, client)
            let passport = try broker.passport()
            let answer = try await client.call(
                .get, "/kbs/v0/resource/default/key/1", token: String(decoding: passport, as: UTF8.self))
            #expect(answer.status == 401 && answer.keyBrokerError == "TokenVerifierError", "\(answer.text)")
            let form = try await broker.machine(
                .post, "/release/v1/secrets/default/key/1", passport, body: #"{"form":"kbs"}"#, client)
            #expect(form.answer.status == 400 && form.answer.member == "form")
            // And a broker without a verifier has no evidence appraised.
            let guest = try KeyBrokerClient(client, SimulatedTPM())
            let session = try await guest.session()
            #expect(try await guest.attest(session, "{}").keyBrokerError == "AttestationError")
        }
    }

    @Test("A machine that was removed attests no more")
    func revoked() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            _ = try await guest.attested()
            let id = try await scene.office.call(
                .get, "/admin/v1/nodes", token: scene.verifier.administrator
            ).json["nodes"]?.elements?.first?["id"]?.string
            let removed = try await scene.office.call(
                .delete, "/admin/v1/nodes/\(id ?? "")", token: scene.verifier.administrator)
            #expect(removed.status == 204)
            let fresh = try await guest.session()
            #expect(try await guest.attest(fresh, guest.evidence(fresh.nonce)).status == 401)
        }
    }

    @Test(
        "Other versions, environments and hashes are refused in the protocol's words",
        arguments: [
            (#"{"version":"0.1.1","tee":"tpm","extra-params":""}"#, "AttestationError"),
            (#"{"version":"0.4.1","tee":"tpm","extra-params":""}"#, "AttestationError"),
            (#"{"version":"0.4.0","tee":"tdx","extra-params":""}"#, "AttestationError"),
            (#"{"version":"0.4.0","tee":"sample","extra-params":""}"#, "AttestationError"),
            (
                #"{"version":"0.4.0","tee":"tpm","extra-params":{"supported-hash-algorithms":["sha512"]}}"#,
                "AttestationError"
            ),
            (
                #"{"version":"0.4.0","tee":"tpm","extra-params":{"supported-hash-algorithms":"sha384"}}"#,
                "AttestationError"
            ),
            (#"{"version":4,"tee":"tpm","extra-params":""}"#, "SerdeError"), (#"{"version":"0.4.0"}"#, "SerdeError"),
            (#"{"version":"0.4.0","tee":"tpm","more":1}"#, "SerdeError"), ("[]", "SerdeError"), ("{", "SerdeError"),
        ])
    func versions(_ body: String, _ error: String) async throws {
        let broker = try BrokerUnderTest()
        try await broker.run { client in
            let answer = try await client.send(.post, "/kbs/v0/auth", body)
            #expect(answer.status == 401 && answer.keyBrokerError == error, "\(answer.text)")
            #expect(answer.header("Set-Cookie") == nil)
        }
    }

    @Test("Administration and plugins are answered as the protocol has it") func others() async throws {
        let broker = try BrokerUnderTest()
        try await broker.run { client in
            let admin: [(HTTPRequest.Method, String)] = [
                (.post, "resource/a/b/c"), (.delete, "resource/a/b/c"), (.get, "resource"),
                (.post, "attestation-policy"), (.post, "resource-policy"), (.get, "resource-policy"),
                (.post, "reference-value"), (.get, "reference-value/x"),
            ]
            for (method, path) in admin {
                let body: [UInt8]? = method == .post ? Array("{}".utf8) : nil
                let answer = try await client.call(
                    method, "/kbs/v0/" + path, token: try broker.administrator,
                    type: body == nil ? nil : "application/json", body: body)
                #expect(answer.status == 401 && answer.keyBrokerError == "AdminAuth", "\(path): \(answer.text)")
            }
            let plugin = try await client.call(.get, "/kbs/v0/external/pkcs11/x")
            #expect(plugin.status == 404 && plugin.keyBrokerError == "PluginNotFound")
        }
    }
}
