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

    /// An issuer whose registered key is of another kind; the token's own `alg` changes nothing.
    @Test(
        "Passports that PyJWT signs with RS256 and EdDSA are accepted under keys registered for that, and for nothing else",
        arguments: ["RS256", "EdDSA"])
    func otherAlgorithms(algorithm: String) throws {
        guard let python = try Witness.find("python3") else { return }
        let stage = try Stage()
        let script = """
            import sys, json, jwt
            from cryptography.hazmat.primitives.asymmetric import rsa, ed25519
            algorithm, claims = sys.stdin.read().split("\\n", 1)
            if algorithm == "RS256":
                key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
                public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            else:
                key = ed25519.Ed25519PrivateKey.generate()
                public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
            public.pop("key_ops", None)
            public.update(kid="k", use="sig", alg=algorithm)
            token = jwt.encode(json.loads(claims), key, algorithm=algorithm, headers={"kid": "k", "typ": "eat+jwt"})
            print(json.dumps({"keys": [public]}) + "\\n" + token, end="")
            """
        let input = Array((algorithm + "\n" + (try stage.payload())).utf8)
        let testimony = try python.run(["-c", script], input: input)
        #expect(testimony.status == 0, "\(testimony.errors)")
        let lines = String(decoding: testimony.output, as: UTF8.self).split(separator: "\n").map(String.init)
        let (keySet, token) = (try #require(lines.first), try #require(lines.last))
        func refusal(_ token: String, _ keySet: String) throws -> Refusal.Code? {
            let verifier = try PassportVerifier(
                keySet: Array(keySet.utf8), expectations: Expectations(issuer: Stage.issuer, audience: Stage.audience),
                remembering: 8)
            do throws(Refusal) {
                let first = try verifier.verify(Array(token.utf8), at: Stage.now)
                return first.tokenID == (try verifier.verify(Array(token.utf8), at: Stage.now)).tokenID ? nil : .claims
            } catch {
                return error.code
            }
        }
        #expect(try refusal(token, keySet) == nil)
        let parts = token.split(separator: ".").map(String.init)
        for lie in ["ES256", "HS256", "none", algorithm == "RS256" ? "EdDSA" : "Ed25519"] {
            let header = Base64URL.encode(Array(#"{"alg":"\#(lie)","typ":"eat+jwt","kid":"k"}"#.utf8))
            #expect(try refusal(([header] + parts.dropFirst()).joined(separator: "."), keySet) == .algorithm, "\(lie)")
        }
        var signature = try #require(Base64URL.decode(parts[2]))
        signature[signature.count / 2] ^= 1
        let forged = parts[0] + "." + parts[1] + "." + Base64URL.encode(signature)
        #expect(try refusal(forged, keySet) == .signature)
        let renamed = keySet.replacing(#""alg": "\#(algorithm)""#, with: #""alg": "PS256""#)
        #expect(renamed != keySet)
        #expect(throws: JOSEError.self) { try refusal(token, renamed) }
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
