import CarnetResult
import CarnetSealing
import CarnetTesting
import Cryptography
import StrictEncoding
import TPM2
import Testing

@testable import CarnetRelyingParty

/// A passport of a forge that binds a storage key, and one that binds none.
@Suite("Import blobs as a form of granting")
struct GrantTests {
    private let now: Int64 = 1_800_000_000, forge: TokenForge, storageKey: PrivateKey

    init() throws {
        forge = try TokenForge()
        storageKey = try .generate()
    }

    private func caller(_ state: StateBinding?) throws -> ProvenResult {
        let good = try forge.result(issuedAt: now)
        var claims = good.appraisal.verifierClaims
        claims.state = state
        let result = AttestationResult(
            issuer: good.issuer, subject: good.subject, audience: good.audience, issuedAt: now,
            tokenID: good.tokenID, nonce: good.nonce, verifierID: good.verifierID, keyThumbprint: good.keyThumbprint,
            appraisal: SubmoduleAppraisal(
                status: .affirming, vector: good.appraisal.vector, policyIDs: good.appraisal.policyIDs,
                verifierClaims: claims))
        let token = try forge.signingKey.mint(result)
        let verifier = try PassportVerifier(
            keySet: forge.keySet,
            expectations: Expectations(issuer: "https://verifier.example", audience: "https://service.example"))
        let request = ProvenRequest(method: "POST", uri: "https://service.example/key")
        return try verifier.prove(
            verifier.verify(token, at: now), by: forge.proof(for: request, showing: token, issuedAt: now), of: request,
            at: now)
    }

    private var state: StateBinding {
        get throws {
            StateBinding(
                pcrs: "sha256:0,4", policy: [UInt8](repeating: 7, count: 32),
                storageKey: try JSONWebKey(storageKey.publicKey))
        }
    }

    @Test("One call seals in both forms; the blob names the storage key of the passport and its PCRs")
    func forms() throws {
        let caller = try caller(state)
        let jwe = try SecretGrant.seal([1, 2, 3], to: caller, at: now)
        #expect(!ImportMessage.isOne(jwe))
        let blob = try ImportMessage(parsing: SecretGrant.seal([1, 2, 3], to: caller, as: .tpmImport, at: now))
        let point = try storageKey.publicKey.coordinates
        #expect(blob.parent == TPM.StorageKeyTemplate.publicArea(x: point.x, y: point.y).name.bytes)
        #expect(blob.pcrs == "sha256:0,4")
        #expect(try caller.result.stateBinding() == state)
        // KEYEDHASH, SHA-256, noDA and nothing else, then the policy that the passport states.
        let head: [UInt8] = [0x00, 0x08, 0x00, 0x0B, 0x00, 0x00, 0x04, 0x00, 0x00, 0x20]
        #expect(Array(blob.publicArea.dropFirst(2).prefix(42)) == head + [UInt8](repeating: 7, count: 32))
        let again = try ImportMessage(parsing: SecretGrant.seal([1, 2, 3], to: caller, as: .tpmImport, at: now))
        #expect(again.encryptedSeed != blob.encryptedSeed && again.publicArea != blob.publicArea)
    }

    @Test(
        "A secret of another size than 1 to 128 bytes is refused, and told which sizes fit", arguments: [0, 129, 4096])
    func sizes(count: Int) throws {
        let refusal = #expect(throws: Refusal.self) {
            try SecretGrant.seal(
                [UInt8](repeating: 1, count: count), to: caller(state), as: .tpmImport, at: now)
        }
        #expect(refusal?.code == .encryptionFailed)
        #expect(refusal?.description.contains("\(count) bytes") == true && refusal?.reason.contains("1 to 128") == true)
    }

    @Test("Whoever bound no storage key gets no import blob, and is told what to do")
    func nothingBound() throws {
        let without = StateBinding(pcrs: "sha256:0", policy: [UInt8](repeating: 7, count: 32))
        for state in [nil, without] {
            let refusal = #expect(throws: Refusal.self) {
                try SecretGrant.seal([1], to: caller(state), as: .tpmImport, at: now)
            }
            #expect(refusal?.code == .noEncryptionKey && refusal?.nextStep.contains("--storage-key") == true)
        }
        #expect(throws: Refusal(.expired, "", nextStep: "")) {
            try SecretGrant.seal([1], to: caller(state), as: .tpmImport, at: now + 300)
        }
    }

    @Test("A storage key off its curve is refused")
    func offCurve() throws {
        let good = try forge.result(issuedAt: now)
        var claims = good.appraisal.verifierClaims
        claims.state = try state
        let result = AttestationResult(
            issuer: good.issuer, subject: good.subject, audience: good.audience, issuedAt: now,
            tokenID: good.tokenID, nonce: good.nonce, verifierID: good.verifierID, keyThumbprint: good.keyThumbprint,
            appraisal: SubmoduleAppraisal(
                status: .affirming, vector: good.appraisal.vector, policyIDs: [], verifierClaims: claims))
        let text = String(decoding: result.claimsSet, as: UTF8.self)
        let point = try #require(claims.state?.storageKey)
        let y = Base64URL.encode(point.y), other = Base64URL.encode(Array(point.y.dropLast()) + [point.y[31] ^ 1])
        let payload = text.replacing(y, with: other)
        #expect(payload != text)
        #expect(throws: JOSEError.self) { try StateBinding(inPassport: forge.token(payload: payload)) }
    }

    @Test("A policy of zeros, which every fresh session meets, seals nothing")
    func emptyPolicy() throws {
        let empty = StateBinding(
            pcrs: "sha256:0", policy: [UInt8](repeating: 0, count: 32),
            storageKey: try JSONWebKey(storageKey.publicKey))
        let refusal = #expect(throws: Refusal.self) {
            try SecretGrant.seal([1], to: caller(empty), as: .tpmImport, at: now)
        }
        #expect(refusal?.code == .noEncryptionKey)
    }
}
