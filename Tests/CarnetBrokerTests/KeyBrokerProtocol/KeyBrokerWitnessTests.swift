import BrokerHarness
import CarnetAttester
import CarnetClient
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import HTTPTypes
import MeasurementLogs
import ServiceHarness
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// A software TPM quotes, and a client in Python, made of the protocol's text and Debian's python3-cryptography, speaks and opens what comes.
@Suite("A key-broker client of somebody else", .serialized, .timeLimit(.minutes(5)))
struct KeyBrokerWitnessTests {
    /// Step 1: a key, a session, and what the quote has to carry. Step 2: attest, fetch, open.
    private static let client = #"""
        import sys, json, hashlib, base64, os, http.client
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives import serialization, hashes
        from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
        from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        step, port, state = sys.argv[1], int(sys.argv[2]), sys.argv[3]
        url = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
        raw = lambda s: base64.urlsafe_b64decode(s + "=" * (-len(s) % 4))
        def call(method, path, body=None, cookie=None):
            headers = {"Content-Type": "application/json"} if body is not None else {}
            if cookie: headers["Cookie"] = cookie
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            c.request(method, path, None if body is None else json.dumps(body), headers)
            r = c.getresponse()
            text = r.read()
            if r.status != 200: sys.exit(f"{r.status} {text}")
            return json.loads(text), r.getheader("Set-Cookie")
        if step == "1":
            key = ec.generate_private_key(ec.SECP256R1())
            n = key.public_key().public_numbers()
            jwk = {"kty": "EC", "crv": "P-256", "alg": "ECDH-ES+A256KW",
                   "x": url(n.x.to_bytes(32, "big")), "y": url(n.y.to_bytes(32, "big"))}
            answer, cookie = call("POST", "/kbs/v0/auth", {"version": "0.4.0", "tee": "tpm",
                "extra-params": {"supported-hash-algorithms": ["sha256", "sha384", "sha512"]}})
            bound = {"tee-pubkey": jwk, "nonce": answer["nonce"], "additional-evidence": ""}
            text = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption()).decode()
            json.dump({"pem": pem, "jwk": jwk, "nonce": answer["nonce"], "cookie": cookie.split(";")[0]}, open(state, "w"))
            print(hashlib.sha384(text.encode()).digest()[:32].hex(), end="")
        else:
            s = json.load(open(state))
            evidence = json.loads(sys.stdin.read())
            answer, _ = call("POST", "/kbs/v0/attest", {
                "runtime-data": {"nonce": s["nonce"], "tee-pubkey": s["jwk"]},
                "tee-evidence": {"primary_evidence": evidence, "additional_evidence": ""}}, s["cookie"])
            assert answer["token"].count(".") == 2
            m, _ = call("GET", "/kbs/v0/resource/default/key/1", cookie=s["cookie"])
            head = json.loads(raw(m["protected"]))
            assert head["alg"] == "ECDH-ES+A256KW" and head["enc"] == "A256GCM", head
            peer = ec.EllipticCurvePublicNumbers(int.from_bytes(raw(head["epk"]["x"]), "big"),
                int.from_bytes(raw(head["epk"]["y"]), "big"), ec.SECP256R1()).public_key()
            key = serialization.load_pem_private_key(s["pem"].encode(), None)
            z = key.exchange(ec.ECDH(), peer)
            sized = lambda b: len(b).to_bytes(4, "big") + b
            info = sized(b"ECDH-ES+A256KW") + sized(b"") + sized(b"") + (256).to_bytes(4, "big")
            kek = ConcatKDFHash(hashes.SHA256(), 32, info).derive(z)
            cek = aes_key_unwrap(kek, raw(m["encrypted_key"]))
            data = AESGCM(cek).decrypt(raw(m["iv"]), raw(m["ciphertext"]) + raw(m["tag"]), m["protected"].encode())
            sys.stdout.buffer.write(data)
        """#

    /// A policy of the good boot that a protocol without logs can meet.
    private static func policy() throws -> String {
        try GoodBoot.policy(for: GoodBoot.log())
            .replacingOccurrences(of: "event_log: required", with: "event_log: optional")
    }

    /// What `primary_evidence` is, of a real TPM.
    private static func evidence(
        _ device: TPMDevice, _ kind: TPMDevice.AttestationKeyKind, carrying data: [UInt8]
    ) throws -> [UInt8] {
        let all = TPM.PCRSelectionList(bank: .sha256, indices: 0..<24)
        let key = try device.attestationKey(kind)
        let quote = try device.quote(all, by: key, qualifyingData: data)
        let values = try device.readPCRs(all)[.sha256] ?? [:]
        let information = try key.publicArea.publicKey().subjectPublicKeyInfo
        return JSONWriter.object { writer in
            writer.string("ak_public", Base64.encode(information))
            writer.object("tpm_quote") { writer in
                writer.string("signature", Base64.encode(quote.signature))
                writer.string("message", Base64.encode(quote.attest))
                writer.array("pcrs") { writer in
                    for index in 0..<24 { writer.element(Hexadecimal.encode(values[index] ?? [])) }
                }
            }
        }
    }

    /// The commands that the guide has for the attestation key, made ready for a TPM without a resource manager.
    private static func guide(_ kind: TPMDevice.AttestationKeyKind, carrying data: [UInt8]) throws -> String {
        let guide = try Repository.text("Docs/Guides/KeyBrokerClients.md")
        let part = try #require(guide.firstRange(of: "## The attestation key")).upperBound
        let block = try #require(guide[part...].firstRange(of: "```console\n")).upperBound
        let end = try #require(guide[block...].firstRange(of: "\n```")).lowerBound
        var lines = ["data=" + Hexadecimal.encode(data)]
        for line in guide[block..<end].split(separator: "\n") {
            lines.append(line.hasPrefix("$ ") ? String(line.dropFirst(2)) : String(line))
            if kind == .rsa2048, line.hasPrefix("$ kind=") { lines.append("kind=rsa2048:rsassa-sha256:null") }
            if line.contains("ak.der"), line.contains("tpm2_") { lines.append("tpm2_flushcontext -t") }
        }
        return (["set -e"] + lines).joined(separator: "\n")
    }

    @Test(
        "A client without the agent gets at the enrolled key with tpm2-tools, as the guide says",
        arguments: TPMDevice.AttestationKeyKind.allCases)
    func tools(kind: TPMDevice.AttestationKeyKind) async throws {
        guard let python = try Witness.find("python3"), let shell = try Witness.find("bash"),
            try Witness.find("tpm2_quote") != nil, try Witness.find("jq") != nil
        else { return }
        let folder = try TemporaryDirectory(), tpm = try SoftwareTPM.copy()
        try tpm.measure(GoodBoot.log())
        let office = try Office(trusting: tpm, policy: Self.policy())
        try await office.verifier.run { client in
            try await Self.enrol(tpm, kind, client)
            let broker = try await BrokerUnderTest.trusting(office.verifier, client)
            try await broker.run { other in
                _ = try await broker.put("default/key/1", KeyBrokerScene.secret, other)
                try await broker.policy(KeyBrokerScene.policy, other)
                let file = folder.path + "/state"
                let first = try python.run(["-c", Self.client, "1", "\(other.port)", file])
                let data = try #require(Hexadecimal.decode(first.text), "\(first.errors)")
                let made = try shell.run(
                    ["-c", Self.guide(kind, carrying: data)], environment: ["TPM2TOOLS_TCTI": tpm.tcti],
                    directory: folder.path)
                #expect(made.status == 0, "\(made.errors)")
                let opened = try python.run(
                    ["-c", Self.client, "2", "\(other.port)", file], input: folder.read("evidence.json"))
                #expect(opened.output == KeyBrokerScene.secret, "\(opened.errors)")
            }
        }
    }

    /// Enrols a machine as the agent does, and lets go of its TPM.
    private static func enrol(
        _ tpm: SoftwareTPM, _ kind: TPMDevice.AttestationKeyKind, _ client: ServiceClient
    ) async throws {
        let connection = try ServiceConnection("http://127.0.0.1:\(client.port)", allowPlainHTTP: true)
        _ = try await AttesterClient(connection).enrol(
            EvidenceCollector(device: tpm.device(), state: AttesterState(attestationKey: kind)), name: "node",
            template: .rsa2048, logs: LogSources(eventLog: .bytes(GoodBoot.log().bytes)))
        await connection.close()
    }

    @Test(
        "It opens the secret with what a real TPM signed, once an operator has approved the machine",
        arguments: TPMDevice.AttestationKeyKind.allCases)
    func story(kind: TPMDevice.AttestationKeyKind) async throws {
        guard let python = try Witness.find("python3") else { return }
        let folder = try TemporaryDirectory(), tpm = try SoftwareTPM.copy()
        try tpm.measure(GoodBoot.log())
        let office = try Office(trusting: tpm, approves: false, policy: Self.policy())
        try await office.verifier.run { client in
            let device = try tpm.device()
            let state = AttesterState(attestationKey: kind)
            let connection = try ServiceConnection("http://127.0.0.1:\(client.port)", allowPlainHTTP: true)
            let enrolled = try await AttesterClient(connection).enrol(
                EvidenceCollector(device: device, state: state), name: "node", template: .rsa2048,
                logs: LogSources(eventLog: .bytes(GoodBoot.log().bytes)))
            await connection.close()
            #expect(enrolled.state == "pending")
            let broker = try await BrokerUnderTest.trusting(office.verifier, client)
            try await broker.run { other in
                _ = try await broker.put("default/key/1", KeyBrokerScene.secret, other)
                try await broker.policy(KeyBrokerScene.policy, other)
                func attempt() throws -> Witness.Testimony {
                    let file = folder.path + "/state"
                    let first = try python.run(["-c", Self.client, "1", "\(other.port)", file])
                    let data = try #require(Hexadecimal.decode(first.text), "\(first.errors)")
                    return try python.run(
                        ["-c", Self.client, "2", "\(other.port)", file],
                        input: Self.evidence(device, kind, carrying: data))
                }
                let waiting = try attempt()
                #expect(waiting.status != 0 && waiting.errors.contains("no operator has approved"), "\(waiting.errors)")
                let id = enrolled.subject.split(separator: ":").last.map(String.init) ?? ""
                let approved = try await client.call(
                    .post, "/admin/v1/nodes/\(id)/approval", token: office.verifier.administrator)
                #expect(approved.status == 200, "\(approved.text)")
                let opened = try attempt()
                #expect(opened.output == KeyBrokerScene.secret, "\(opened.errors)")
                try device.extend(pcr: 4, bank: .sha256, digest: [UInt8](repeating: 1, count: 32))
                let tampered = try attempt()
                #expect(tampered.status != 0 && tampered.errors.contains("AttestationError"), "\(tampered.errors)")
            }
        }
    }
}
