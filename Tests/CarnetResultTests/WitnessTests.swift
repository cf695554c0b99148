import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import StrictEncoding
import Testing

/// PyJWT and José (Debian's python3-jwt and jose) judge our tokens, and we theirs.
@Suite("Independent witnesses of tokens")
struct WitnessTests {
    @Test("PyJWT verifies our token against our key set")
    func pyJWT() throws {
        guard let python = try Witness.find("python3") else { return }
        let forge = try TokenForge()
        let token = try forge.signingKey.mint(forge.result(issuedAt: 1_800_000_000))
        let script = """
            import sys, jwt, json
            keys, token = sys.stdin.read().split("\\n", 1)
            key = jwt.PyJWKSet.from_json(keys).keys[0]
            options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
            claims = jwt.decode(token, key.key, algorithms=["ES256"], audience="https://service.example",
                                issuer="https://verifier.example", options=options)
            print(claims["ear_status"], jwt.get_unverified_header(token)["kid"] == key.key_id)
            """
        let testimony = try python.run(["-c", script], input: forge.keySet + Array("\n".utf8) + token)
        #expect(testimony.text == "affirming True\n", "\(testimony.errors)")
    }

    @Test("PyJWT's token is read by us")
    func fromPyJWT() throws {
        guard let python = try Witness.find("python3") else { return }
        let forge = try TokenForge()
        let key = Base64URL.encode(try forge.key.pkcs8)
        let script = """
            import sys, jwt, base64
            from cryptography.hazmat.primitives.serialization import load_der_private_key
            key = load_der_private_key(base64.urlsafe_b64decode(sys.stdin.read() + "=="), None)
            print(jwt.encode({"iss": "x"}, key, algorithm="ES256", headers={"kid": "1"}), end="")
            """
        let testimony = try python.run(["-c", script], input: Array(key.utf8))
        let jws = try CompactJWS(parsing: testimony.output)
        #expect(jws.isSigned(by: forge.key.publicKey), "\(testimony.errors)")
    }

    @Test("José verifies our token and opens our JWE, and we open its JWE")
    func jose() throws {
        guard let jose = try Witness.find("jose") else { return }
        let forge = try TokenForge(), directory = try TemporaryDirectory()
        let token = try forge.signingKey.mint(forge.result(issuedAt: 1_800_000_000))
        let tokenFile = try directory.write(token, "token"), keysFile = try directory.write(forge.keySet, "jwks")
        let verified = try jose.run(["jws", "ver", "-i", tokenFile, "-k", keysFile, "-O", "-"])
        #expect(verified.status == 0 && verified.text.contains("affirming"), "\(verified.errors)")

        let privateKey = directory.path + "/private"
        #expect(try jose.run(["jwk", "gen", "-i", #"{"alg":"ECDH-ES+A256KW"}"#, "-o", privateKey]).status == 0)
        // José's default curve for ECDH is P-521: ask for P-256 by type.
        #expect(try jose.run(["jwk", "gen", "-i", #"{"kty":"EC","crv":"P-256"}"#, "-o", privateKey]).status == 0)
        let document = try JSONDocument(parsing: directory.read("private"), maximumByteCount: 4096)
        let x = try #require(document.root["x"]?.string.flatMap { Base64URL.decode($0) })
        let y = try #require(document.root["y"]?.string.flatMap { Base64URL.decode($0) })
        let recipient = try JSONWebKey(PublicKey(.p256, x: x, y: y))
        let message = try SecretMessage.seal(Array("for José".utf8), to: recipient, recipientInfo: [1])
        let opened = try jose.run(["jwe", "dec", "-i", directory.write(message, "jwe"), "-k", privateKey, "-O", "-"])
        #expect(opened.text == "for José", "\(opened.errors)")

        let ours = try PrivateKey.generate()
        let publicKey = JSONWriter.object { writer in
            if let key = try? JSONWebKey(ours.publicKey) { key.writeMembers(to: &writer) }
        }
        let plain = try directory.write(Array("for Carnet".utf8), "plain")
        let sealed = try jose.run([
            "jwe", "enc", "-I", plain, "-k", directory.write(publicKey, "public"), "-i",
            #"{"protected":{"alg":"ECDH-ES+A256KW","enc":"A256GCM"}}"#, "-c", "-o", "-",
        ])
        let secret = try SecretMessage.open(sealed.output) { try ours.sharedSecret(with: $0.publicKey()) }
        #expect(String(decoding: secret, as: UTF8.self) == "for Carnet", "\(sealed.errors)")
    }
}
