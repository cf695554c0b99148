import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Fixtures
import StrictEncoding
import Testing

/// Results of other verifiers and of older drafts: read when asked for, by one spelling each.
@Suite("Older profiles")
struct OlderProfileTests {
    private static let now: Int64 = 1_666_529_184

    /// Every leniency that those tokens need, each named.
    private static func lenient(_ profile: EARProfile, _ submodule: String, _ tier: TrustTier = .affirming)
        -> Expectations
    {
        var expectations = Expectations(issuer: "", audience: Stage.audience)
        expectations.profiles = [profile]
        expectations.requiredSubmodules = [submodule]
        expectations.minimumTier = tier
        expectations.minimumKeyProtection = .software
        expectations.headerTypes = ["jwt"]
        expectations.toleratedAbsences = [
            .issuer, .audience, .subject, .tokenID, .expiry, .notBefore, .binding, .status, .keyID,
        ]
        return expectations
    }

    private func verify(
        claims: String, _ expectations: Expectations, at now: Int64 = now
    ) throws -> Result<VerifiedResult, Refusal> {
        let forge = try TokenForge()
        let verifier = try PassportVerifier(keySet: forge.keySet, expectations: expectations)
        let token = try forge.token(header: #"{"alg":"ES256","typ":"JWT"}"#, payload: claims)
        return Result { () throws(Refusal) in try verifier.verify(token, at: now) }
    }

    private func refusal(_ result: Result<VerifiedResult, Refusal>) -> Refusal.Code? {
        if case .failure(let refusal) = result { return refusal.code }
        return nil
    }

    private let dotted =
        #"{"eat_profile":"tag:github.com,2023:veraison/ear","iat":1666529184,"ear.verifier-id":{"developer":"d","build":"b"},"#
        + #""submods":{"test":{"ear.status":"affirming","ear.trustworthiness-vector":{"hardware":2},"#
        + #""ear.appraisal-policy-id":"https://veraison.example/policy/1"}}}"#

    @Test("A dotted token becomes the same kind of result")
    func reading() throws {
        let result = try verify(claims: dotted, Self.lenient(.veraison2023, "test")).get()
        #expect(result.profile == .veraison2023 && result.status == .affirming && result.issuedAt == Self.now)
        #expect(result.expiresAt == Self.now + 3600 && result.notBefore == Self.now)
        #expect(result.subject.isEmpty && result.issuer.isEmpty && result.keyThumbprint.isEmpty)
        let submodule = try #require(result.submodules["test"])
        #expect(submodule.vector[.hardware] == 2 && submodule.policyIDs == ["https://veraison.example/policy/1"])
        #expect(submodule.depth == .pcrs && submodule.keyProtection == .software && submodule.encryptionKey == nil)
    }

    @Test("Without being asked for, each leniency is missing")
    func unasked() throws {
        let good = Self.lenient(.veraison2023, "test")
        func code(_ adjust: (inout Expectations) -> Void) throws -> Refusal.Code? {
            var expectations = good
            adjust(&expectations)
            return refusal(try verify(claims: dotted, expectations))
        }
        #expect(try code { _ in } == nil)
        #expect(
            try code { $0.profiles = [.draft04] } == .profile
                && code { $0.profiles = [.draft01, .draft03] } == .profile)
        #expect(try code { $0.headerTypes = ["eat+jwt"] } == .type)
        #expect(try code { $0.minimumKeyProtection = .tpm } == .keyProtection)
        #expect(try code { $0.minimumDepth = .eventLog } == .depth)
        let expected: [OmissibleClaim: Refusal.Code] = [
            .issuer: .issuer, .audience: .audience, .subject: .claims, .tokenID: .claims, .expiry: .claims,
            .notBefore: .claims, .binding: .binding, .status: .claims, .keyID: .unknownKey,
        ]
        for claim in OmissibleClaim.allCases {
            #expect(try code { $0.toleratedAbsences.remove(claim) } == expected[claim], "\(claim)")
        }
    }

    @Test("A claim that may be left out is checked where it is there")
    func present() throws {
        let good = Self.lenient(.veraison2023, "test")
        for (addition, code) in [
            (#""iss":"https://other.example","#, Refusal.Code.issuer), (#""aud":"https://other.example","#, .audience),
            (#""exp":1666529000,"#, .expired), (#""exp":1.0,"#, .claims), (#""nbf":1666530000,"#, .notYetValid),
            (#""cnf":{"kid":"a"},"#, .binding), (#""sub":7,"#, .claims), (#""ear.status":"warning","#, .tier),
            (#""ear.status":2,"#, .claims), (#""exp":null,"#, .claims),
        ] {
            let claims = dotted.replacing(#"{"eat_profile""#, with: "{" + addition + #""eat_profile""#)
            #expect(refusal(try verify(claims: claims, good)) == code, "\(addition)")
        }
        #expect(refusal(try verify(claims: dotted, good, at: Self.now + 3631)) == .expired)
        #expect(refusal(try verify(claims: dotted, good, at: Self.now - 31)) == .notYetValid)
    }

    @Test("Names of two spellings in one token are refused, at the top and inside")
    func mixing() throws {
        let good = Self.lenient(.veraison2023, "test")
        for (target, replacement) in [
            (#""iat""#, #""ear_status":"affirming","iat""#), (#""iat""#, #""ear_x":1,"iat""#),
            (#""ear.status":"affirming""#, #""ear.status":"affirming","ear_status":"affirming""#),
            (#""ear.trustworthiness-vector""#, #""ear_trustworthiness_vector""#),
        ] {
            let mixed = dotted.replacing(target, with: replacement)
            #expect(mixed != dotted)
            #expect(refusal(try verify(claims: mixed, good)) == .claims, "\(replacement)")
        }
        let stage = try Stage()
        for (target, replacement) in [
            (#""jti""#, #""ear.status":"affirming","jti""#), (#""tpm":{"#, #""tpm":{"ear.status":"affirming","#),
        ] {
            #expect(try stage.refusal(replacing: target, with: replacement) == .claims)
        }
        let renamed = dotted.replacing("ear.status", with: "ear_status").replacing(
            "ear.verifier-id", with: "ear_verifier_id")
        #expect(refusal(try verify(claims: renamed, good)) == .claims, "the profile decides, not the names")
    }

    @Test("Before -04 there were no claims of verifier and attester; such members are strangers and count for nothing")
    func claimSets() throws {
        let stage = try Stage { $0.profiles = [.draft03] }
        let payload = try stage.payload().replacing("ear#04", with: "ear#03")
        #expect(stage.refusal(try stage.forge.token(payload: payload)) == .keyProtection)
        var expectations = Self.lenient(.draft03, "tpm")
        expectations.issuer = Stage.issuer
        let result = try verify(claims: payload, expectations, at: Stage.now).get()
        #expect(result.submodules["tpm"]?.keyProtection == .software && result.submodules["tpm"]?.encryptionKey == nil)
        #expect(result.submodules["tpm"]?.depth == .pcrs && result.submodules["tpm"]?.secureBoot == nil)
    }

    @Test(
        "Published claims of several generations are read",
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
    func published() throws {
        let cases: [(String, EARProfile, String, TrustTier)] = [
            ("draft-ietf-rats-ear/rats/ear-json-1.diag", .draft03, "PSA", .contraindicated),
            ("draft-ietf-rats-ear/rats/ear-json-2.diag", .draft03, "CCA Realm", .affirming),
            ("draft-ietf-rats-ear/rats/ext-teep-json-1.diag", .draft03, "PSA", .contraindicated),
            ("draft-ietf-rats-ear/rats/ext-veraison-json-1.diag", .draft03, "PSA_IOT", .contraindicated),
            ("draft-ietf-rats-ear/rats/ext-veraison-json-2.diag", .draft03, "PARSEC_TPM", .affirming),
            ("ear/ear/ear-claims.json", .veraison2023, "test", .affirming),
            ("ear/ear/ear-claims-tv-ok.json", .veraison2023, "test", .affirming),
            ("ear/ear/ear-claims-extension-ok.json", .veraison2023, "test", .affirming),
            ("ear/ear/ear-claims-key-attestation-ok.json", .veraison2023, "PARSEC_TPM", .affirming),
        ]
        for (name, profile, submodule, status) in cases {
            let claims = String(decoding: try SharedFixtures.bytes("fixtures/jose/" + name), as: UTF8.self)
            let now =
                (try JSONDocument(parsing: Array(claims.utf8), maximumByteCount: 65_536).root)["iat"]?.integer ?? 0
            let result = try verify(claims: claims, Self.lenient(profile, submodule, status), at: now).get()
            #expect(result.status == status && result.submodules[submodule]?.status == status, "\(name)")
            if status == .contraindicated {
                #expect(refusal(try verify(claims: claims, Self.lenient(profile, submodule), at: now)) == .tier)
            }
        }
        // Claims of a device, not of a verifier: no result at all.
        for name in ["simple.json", "submods.json", "valid_results.json", "main_token_claims.json", "deb.json"] {
            let claims = String(decoding: try SharedFixtures.bytes("fixtures/jose/eat/rats/" + name), as: UTF8.self)
            #expect(refusal(try verify(claims: claims, Self.lenient(.draft03, "tpm"))) != nil, "\(name)")
        }
    }

    @Test(
        "Tokens that Veraison's library signed are read or refused",
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
    func signed() throws {
        let key = String(decoding: try SharedFixtures.bytes("fixtures/jose/ear/ear/pkey.json"), as: UTF8.self)
            .replacing(#""kty""#, with: #""alg":"ES256","kid":"a","kty""#)
        let verifier = try PassportVerifier(
            keySet: Array(#"{"keys":[\#(key)]}"#.utf8), expectations: Self.lenient(.veraison2023, "test"))
        func refusal(_ name: String) throws -> Refusal.Code? {
            let text = String(
                decoding: try SharedFixtures.bytes("fixtures/jose/ear/jwt/veraison-\(name).jwt"), as: UTF8.self)
            do throws(Refusal) {
                _ = try verifier.verify(Array(text.utf8.filter { $0 != 0x0A }), at: 1_666_091_373)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(try refusal("arc-1") == nil && refusal("ear-test-1") == nil)
        #expect(try refusal("arc-2") == .header, "a key in the header")
        #expect(try refusal("arc-3") == .header)
        #expect(try refusal("ear-test-2") == .algorithm, "HS256")
        #expect(try refusal("ear-test-3") != nil && refusal("ear-test-4") != nil, "no signature")
        #expect(try refusal("ear-test-5") == .claims, "a floating-point iat")
    }
}
