import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

@testable import CarnetRelyingParty

@Suite("Proofs, bit by bit and as RFC 9449 prints one")
struct ProofVectorTests {
    /// RFC 9449 §7.1, Figures 12 to 14: the access token, and the proof that goes with it.
    @Test("The proof of RFC 9449 §7.1 is accepted for its request, and for no other")
    func published() throws {
        let header =
            #"{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","#
            + #""y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}}"#
        let payload =
            #"{"jti":"e1j3V_bKic8-LAEB","htm":"GET","htu":"https://resource.example.org/protectedresource","#
            + #""iat":1562262618,"ath":"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"}"#
        let signature = "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
        let proof = [Base64URL.encode(Array(header.utf8)), Base64URL.encode(Array(payload.utf8)), signature]
            .joined(separator: ".")
        let stage = try Stage()
        let access = VerifiedResult(
            issuer: "", subject: "", tokenID: "",
            times: TokenTimes(issuedAt: 1_562_262_600, notBefore: 1_562_262_600, expiresAt: 1_562_262_900),
            profile: .draft04, nonce: nil,
            status: .affirming, submodules: [:], keyThumbprint: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            certificateHash: nil,
            revocation: .notRevocable, token: Array("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".utf8))
        func refusal(_ uri: String, _ method: String = "GET", at now: Int64 = 1_562_262_618) -> Refusal.Code? {
            do throws(Refusal) {
                let request = ProvenRequest(method: method, uri: uri)
                _ = try stage.verifier.prove(access, by: Array(proof.utf8), of: request, at: now)
                return nil
            } catch {
                return error.code
            }
        }
        let uri = "https://resource.example.org/protectedresource"
        #expect(refusal(uri + "/x") == .proofRequest)
        #expect(refusal(uri, "POST") == .proofRequest)
        #expect(refusal(uri, at: 1_562_262_700) == .proofTime)
        #expect(refusal(uri) == nil)
        #expect(refusal(uri) == .proofReplayed)
    }

    @Test("No single flipped bit of a proof is accepted, and refused ones leave the good one usable")
    func everyBit() throws {
        let stage = try Stage()
        let passport = try stage.good()
        let result = try stage.verifier.verify(passport, at: Stage.now)
        let request = ProvenRequest(method: "GET", uri: "https://service.example/s")
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        for bit in 0..<(proof.count * 8) {
            var changed = proof
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: Refusal.self, "bit \(bit)") {
                try stage.verifier.prove(result, by: changed, of: request, at: Stage.now)
            }
        }
        _ = try stage.verifier.prove(result, by: proof, of: request, at: Stage.now)
    }

    @Test("A granted secret is bound to the passport and the proof by its apv")
    func binding() throws {
        let stage = try Stage()
        let passport = try stage.good()
        let request = ProvenRequest(method: "GET", uri: "https://service.example/s")
        func proof() throws -> PossessionProof {
            let holder = stage.forge.holderKey
            return try PossessionProof(
                for: request, showing: passport, key: JSONWebKey(holder.publicKey), issuedAt: Stage.now
            ) { try holder.ecdsaSignature(ofDigest: $0) }
        }
        let result = try stage.verifier.verify(passport, at: Stage.now)
        let mine = try proof(), other = try proof()
        let proven = try stage.verifier.prove(result, by: mine.token, of: request, at: Stage.now)
        let message = try SecretGrant.seal([1, 2, 3], to: proven, at: Stage.now)
        func open(_ proof: PossessionProof) throws -> [UInt8] {
            try SecretMessage.open(message, recipientInfo: proof.recipientInfo) {
                try stage.forge.encryptionKey.sharedSecret(with: $0.publicKey())
            }
        }
        #expect(try open(mine) == [1, 2, 3])
        #expect(throws: JOSEError.self) { try open(other) }
    }

    @Test("Nothing is encrypted to a bound point that is not on the curve")
    func offCurve() throws {
        let stage = try Stage()
        let key = try JSONWebKey(stage.forge.encryptionKey.publicKey)
        let payload = try stage.payload().replacing(Base64URL.encode(key.y), with: Base64URL.encode(key.x))
        let passport = try stage.forge.token(payload: payload)
        let request = ProvenRequest(method: "GET", uri: "https://service.example/s")
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        let result = try stage.verifier.verify(passport, at: Stage.now)
        let proven = try stage.verifier.prove(result, by: proof, of: request, at: Stage.now)
        let refusal = #expect(throws: Refusal.self) { try SecretGrant.seal([1], to: proven, at: Stage.now) }
        #expect(refusal?.code == .noEncryptionKey)
    }
}
