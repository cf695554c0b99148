import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

@Suite("Proof of possession and granting")
struct PossessionTests {
    let stage: Stage
    let passport: [UInt8]
    let result: VerifiedResult
    let request = ProvenRequest(method: "POST", uri: "https://service.example/secrets/1?x=y#z")

    init() throws {
        stage = try Stage()
        passport = try stage.good()
        result = try stage.verifier.verify(passport, at: Stage.now)
    }

    func refusal(_ proof: [UInt8], of request: ProvenRequest? = nil, nonce: String? = nil, at now: Int64 = Stage.now)
        -> Refusal.Code?
    {
        do throws(Refusal) {
            _ = try stage.verifier.prove(result, by: proof, of: request ?? self.request, nonce: nonce, at: now)
            return nil
        } catch {
            return error.code
        }
    }

    /// A proof by the holder with this header and payload, or with parts of a good one replaced.
    func forged(header: (String) -> String = { $0 }, payload: (String) -> String = { $0 }) throws -> [UInt8] {
        let good = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        let parts = good.split(separator: UInt8(ascii: "."))
        func text(_ part: Int, _ change: (String) -> String) throws -> String {
            let original = String(decoding: try #require(Base64URL.decode(parts[part])), as: UTF8.self)
            return Base64URL.encode(Array(change(original).utf8))
        }
        let input = try text(0, header) + "." + text(1, payload)
        let signature = try stage.forge.holderKey.ecdsaSignature(over: Array(input.utf8), .sha256)
        return Array((input + "." + Base64URL.encode(signature)).utf8)
    }

    @Test("The holder proves possession once, for one request")
    func good() throws {
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        let proven = try stage.verifier.prove(result, by: proof, of: request, at: Stage.now)
        #expect(proven.result.subject == result.subject && proven.request?.uri == "https://service.example/secrets/1")
        #expect(refusal(proof) == .proofReplayed)
        #expect(refusal(try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)) == nil)
    }

    @Test("A thief's key, another passport's proof, and the passport itself are refused")
    func thief() throws {
        let thief = try PrivateKey.generate()
        #expect(
            refusal(try stage.forge.proof(for: request, showing: passport, by: thief, issuedAt: Stage.now)) == .proofKey
        )
        #expect(refusal(try stage.forge.proof(for: request, showing: stage.good(), issuedAt: Stage.now)) == .proofKey)
        #expect(refusal(passport) == .proof)
        #expect(refusal([]) == .proof)
        // The holder's key in the header, the thief's signature.
        let good = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        let input = good.split(separator: UInt8(ascii: ".")).prefix(2).joined(separator: [UInt8(ascii: ".")])
        let stolen =
            Array(input) + [UInt8(ascii: ".")]
            + Array(Base64URL.encode(try thief.ecdsaSignature(over: Array(input), .sha256)).utf8)
        #expect(refusal(stolen) == .signature)
    }

    @Test("Method, URI, time and nonce must be this request's")
    func request_() throws {
        func proof(_ request: ProvenRequest, nonce: String? = nil, at time: Int64 = Stage.now) throws -> [UInt8] {
            try stage.forge.proof(for: request, showing: passport, nonce: nonce, issuedAt: time)
        }
        #expect(refusal(try proof(.init(method: "GET", uri: request.uri))) == .proofRequest)
        #expect(refusal(try proof(.init(method: "post", uri: request.uri))) == .proofRequest)
        #expect(refusal(try proof(.init(method: "POST", uri: "https://service.example/secrets/2"))) == .proofRequest)
        #expect(refusal(try proof(.init(method: "POST", uri: "http://service.example/secrets/1"))) == .proofRequest)
        #expect(refusal(try proof(request, at: Stage.now - 61)) == .proofTime)
        #expect(refusal(try proof(request, at: Stage.now + 61)) == .proofTime)
        #expect(refusal(try proof(request), nonce: "fresh") == .proofNonce)
        #expect(refusal(try proof(request, nonce: "stale"), nonce: "fresh") == .proofNonce)
        #expect(refusal(try proof(request, nonce: "fresh"), nonce: "fresh") == nil)
        #expect(refusal(try proof(request), at: Stage.now + 400) == .expired)
    }

    @Test(
        "URIs are compared after normalisation",
        arguments: [
            ("HTTPS://SERVICE.example:443/secrets/%31", true), ("https://service.example/a/../secrets/./1", true),
            ("https://service.example/secrets/1/", false), ("https://service.example:8443/secrets/1", false),
            ("https://user@service.example/secrets/1", false), ("/secrets/1", false),
            ("https://service.example/Secrets/1", false),
            ("https://service.example/secrets%2F1", false), ("ftp://service.example/secrets/1", false),
        ])
    func normalisation(uri: String, matches: Bool) throws {
        let proof = try stage.forge.proof(for: .init(method: "POST", uri: uri), showing: passport, issuedAt: Stage.now)
        #expect(refusal(proof) == (matches ? nil : .proofRequest))
    }

    @Test("A proof with a spoiled header or claim is refused")
    func spoiled() throws {
        #expect(refusal(try forged()) == nil)
        #expect(refusal(try forged(header: { $0.replacing("dpop+jwt", with: "eat+jwt") })) == .proof)
        #expect(refusal(try forged(header: { $0.replacing("ES256", with: "none") })) == .algorithm)
        #expect(refusal(try forged(header: { $0.replacing(#""jwk""#, with: #""jwx""#) })) == .proofKey)
        #expect(
            refusal(try forged(header: { $0.replacing(#""kty":"EC""#, with: #""kty":"EC","d":"AA""#) })) == .proofKey)
        #expect(refusal(try forged(header: { $0.replacing("{\"typ\"", with: #"{"crit":["exp"],"typ""#) })) == .header)
        #expect(refusal(try forged(payload: { $0.replacing(#""jti":""#, with: #""jtx":""#) })) == .proof)
        #expect(refusal(try forged(payload: { $0.replacing(#""ath""#, with: #""atx""#) })) == .proofKey)
        #expect(
            refusal(try forged(payload: { $0.replacing(#""iat":1800000000"#, with: #""iat":1800000000.5"#) }))
                == .proofTime)
        #expect(
            refusal(try forged(payload: { $0.replacing(#""htm":"#, with: #""htm":"GET","htm":"#) })) == .duplicateMember
        )
    }

    @Test("When a key has its share of the memory for proofs, the next is refused; when they are old, it is not")
    func fullMemory() throws {
        var proofs = ProofExpectations()
        proofs.replayCacheCapacity = 3
        let verifier = try PassportVerifier(
            keySet: stage.forge.keySet, expectations: stage.verifier.expectations, proofs: proofs)
        func prove(at now: Int64) throws {
            let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: now)
            _ = try verifier.prove(result, by: proof, of: request, at: now)
        }
        try prove(at: Stage.now)
        try prove(at: Stage.now)
        #expect(throws: Refusal.self) { try prove(at: Stage.now) }
        try prove(at: Stage.now + 250)
    }

    @Test("A granted secret opens with the machine's key, and with no other")
    func grant() throws {
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        let proven = try stage.verifier.prove(result, by: proof, of: request, at: Stage.now)
        let secret = Array("disk key".utf8)
        let message = try SecretGrant.seal(secret, to: proven, at: Stage.now)
        let opened = try SecretMessage.open(message) {
            try stage.forge.encryptionKey.sharedSecret(with: $0.publicKey())
        }
        #expect(opened == secret)
        #expect(throws: JOSEError.self) {
            try SecretMessage.open(message) { try stage.forge.holderKey.sharedSecret(with: $0.publicKey()) }
        }
        #expect(throws: Refusal.self) { try SecretGrant.seal(secret, to: proven, at: Stage.now + 300) }
    }

    @Test("A passport without an encryption key, or with one in software, gets no secret")
    func noGrant() throws {
        let stage = try Stage { $0.minimumKeyProtection = .software }
        func code(_ token: [UInt8]) throws -> Refusal.Code? {
            let result = try stage.verifier.verify(token, at: Stage.now)
            let proof = try stage.forge.proof(for: request, showing: token, issuedAt: Stage.now)
            let proven = try stage.verifier.prove(result, by: proof, of: request, at: Stage.now)
            do throws(Refusal) {
                _ = try SecretGrant.seal([1], to: proven, at: Stage.now)
                return nil
            } catch {
                return error.code
            }
        }
        let software = try stage.forge.signingKey.mint(stage.forge.result(issuedAt: Stage.now, protection: .software))
        #expect(try code(software) == .keyProtection)
        let without = try stage.payload().replacing(#""enc_jwk""#, with: #""no_jwk""#)
        #expect(try code(stage.forge.token(payload: without)) == .noEncryptionKey)
    }
}
