import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import StrictEncoding
import Testing

/// PyJWT and José (Debian's python3-jwt and jose) make passports of our claims, and the relying party accepts them whole.
@Suite("Passports that others signed")
struct WitnessTests {
    @Test("A passport that PyJWT signs is accepted, and with one claim changed it is not")
    func pyJWT() throws {
        guard let python = try Witness.find("python3") else { return }
        let stage = try Stage()
        let script = """
            import sys, base64, json, jwt
            from cryptography.hazmat.primitives.serialization import load_der_private_key
            key, kid, claims = sys.stdin.read().split("\\n", 2)
            key = load_der_private_key(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)), None)
            print(jwt.encode(json.loads(claims), key, algorithm="ES256", headers={"kid": kid, "typ": "eat+jwt"}), end="")
            """
        func signed(_ claims: String) throws -> [UInt8] {
            let input = [Base64URL.encode(try stage.forge.key.pkcs8), stage.forge.signingKey.keyID, claims]
            let testimony = try python.run(["-c", script], input: Array(input.joined(separator: "\n").utf8))
            #expect(testimony.status == 0, "\(testimony.errors)")
            return testimony.output
        }
        let claims = try stage.payload()
        #expect(stage.refusal(try signed(claims)) == nil)
        #expect(stage.refusal(try signed(claims.replacing(Stage.audience, with: "https://other.example"))) == .audience)
        #expect(stage.refusal(try signed(claims), at: Stage.now + 3600) == .expired)
    }

    @Test("A passport that José signs is accepted, and as a plain JWT it is not")
    func jose() throws {
        guard let jose = try Witness.find("jose") else { return }
        let stage = try Stage(), directory = try TemporaryDirectory()
        let key = JSONWriter.object { writer in
            stage.forge.signingKey.publicKey.writeMembers(to: &writer)
            // The private number in the PKCS #8 that libcrypto writes for P-256 (RFC 5915 §3).
            if let pkcs8 = try? stage.forge.key.pkcs8 { writer.base64URL("d", Array(pkcs8[36..<68])) }
        }
        let keyFile = try directory.write(key, "key")
        let claims = try directory.write(Array(stage.payload().utf8), "claims")
        func signed(type: String) throws -> [UInt8] {
            let protected = #"{"protected":{"typ":"\#(type)","kid":"\#(stage.forge.signingKey.keyID)"}}"#
            let testimony = try jose.run(["jws", "sig", "-I", claims, "-k", keyFile, "-s", protected, "-c"])
            #expect(testimony.status == 0, "\(testimony.errors)")
            return Array(testimony.output.filter { $0 != UInt8(ascii: "\n") })
        }
        #expect(stage.refusal(try signed(type: "eat+jwt")) == nil)
        #expect(stage.refusal(try signed(type: "application/eat+jwt")) == nil)
        #expect(stage.refusal(try signed(type: "JWT")) == .type)
    }

    @Test("José opens a granted secret with the machine's key")
    func grant() throws {
        guard let jose = try Witness.find("jose") else { return }
        let stage = try Stage(), directory = try TemporaryDirectory()
        let passport = try stage.good()
        let request = ProvenRequest(method: "GET", uri: "https://service.example/secrets/1")
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        let result = try stage.verifier.verify(passport, at: Stage.now)
        let proven = try stage.verifier.prove(result, by: proof, of: request, at: Stage.now)
        let message = try SecretGrant.seal(Array("disk key".utf8), to: proven, at: Stage.now)
        let encryptionKey = stage.forge.encryptionKey
        let key = try JSONWebKey(encryptionKey.publicKey)
        let text = JSONWriter.object { writer in
            key.writeMembers(to: &writer)
            if let pkcs8 = try? encryptionKey.pkcs8 { writer.base64URL("d", Array(pkcs8[36..<68])) }
        }
        let opened = try jose.run([
            "jwe", "dec", "-i", directory.write(message, "jwe"), "-k", directory.write(text, "key"), "-O", "-",
        ])
        #expect(opened.text == "disk key", "\(opened.errors)")
    }
}
