import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

@Suite("Spoiled bundles")
struct SpoiledBundleTests {
    @Test("No single flipped bit, cut or addition is taken")
    func bits() throws {
        let stage = try BundleStage(), bundle = try stage.first()
        for bit in stride(from: 0, to: bundle.count * 8, by: 11) {
            var changed = bundle
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(try stage.fault(changed) != nil, "bit \(bit)")
        }
        #expect(try stage.fault([]) == .malformed && stage.fault(Array(bundle.dropLast())) != nil)
        #expect(try stage.fault(bundle + [0x0A]) == .malformed && stage.fault(bundle + bundle) == .malformed)
        let huge = [UInt8](repeating: 0x41, count: UnverifiedBundle.maximumByteCount + 1)
        #expect(try stage.fault(huge) == .tooLarge)
    }

    @Test("The header is alg, typ and kid, and nothing else")
    func headers() throws {
        let stage = try BundleStage(), kid = stage.root.keyID, payload = try BundleStage.text(stage.first())
        func fault(_ header: String) throws -> BundleError.Code? {
            try stage.fault(stage.token(payload, header: header))
        }
        #expect(try fault(#"{"alg":"ES256","typ":"carnet-bundle+jwt","kid":"\#(kid)"}"#) == nil)
        for header in [
            #"{"alg":"none","typ":"carnet-bundle+jwt","kid":"\#(kid)"}"#,
            #"{"alg":"HS256","typ":"carnet-bundle+jwt","kid":"\#(kid)"}"#,
            #"{"alg":"ES256","typ":"eat+jwt","kid":"\#(kid)"}"#,
            #"{"alg":"ES256","typ":"carnet-bundle-link+jwt","kid":"\#(kid)"}"#,
            #"{"alg":"ES256","typ":"statuslist+jwt","kid":"\#(kid)"}"#,
            #"{"alg":"ES256","typ":"JWT","kid":"\#(kid)"}"#, #"{"alg":"ES256","kid":"\#(kid)"}"#,
            #"{"alg":"ES256","typ":"carnet-bundle+jwt"}"#, #"{"alg":"ES256","typ":"carnet-bundle+jwt","kid":"1"}"#,
            #"{"alg":"ES256","typ":"carnet-bundle+jwt","kid":"\#(kid)","crit":["x"]}"#,
            #"{"alg":"ES256","typ":"carnet-bundle+jwt","kid":"\#(kid)","jku":"https://a"}"#,
            #"{"alg":"ES256","alg":"ES256","typ":"carnet-bundle+jwt","kid":"\#(kid)"}"#, "[]", "{}", "",
        ] {
            #expect(try fault(header) != nil, "\(header)")
        }
        let other = try SigningKey(.generate()).keyID
        #expect(try fault(#"{"alg":"ES256","typ":"carnet-bundle+jwt","kid":"\#(other)"}"#) == .untrustedSigner)
    }

    @Test("Every member has its place and its range")
    func members() throws {
        let stage = try BundleStage(), now = Stage.now
        for (target, replacement) in [
            ("\"ver\":1,", "\"ver\":2,"), ("\"ver\":1,", ""), ("\"ver\":1,", "\"ver\":1,\"ver\":1,"),
            ("\"ver\":1,", "\"ver\":1,\"more\":0,"), ("\"iat\":\(now)", "\"iat\":\(now).0"),
            ("\"iat\":\(now)", "\"iat\":-1"), ("\"iat\":\(now)", "\"iat\":\"\(now)\""),
            ("\"iat\":\(now)", "\"iat\":\(now + 86_400)"), ("\"exp\":\(now + 86_400)", "\"exp\":10000000000"),
            ("\"exp\":\(now + 86_400)", "\"exp\":\(now + 401 * 86_400)"), ("\"grace\":3600", "\"grace\":-1"),
            ("\"grace\":3600", "\"grace\":\(BundleContent.maximumGrace + 1)"), ("\"grace\":3600,", ""),
            ("\"minimum\":{}", "\"minimum\":null"), ("\"minimum\":{}", "\"minimum\":{\"tier\":\"best\"}"),
            ("\"minimum\":{}", "\"minimum\":{\"depth\":1}"), ("\"minimum\":{}", "\"minimum\":{\"other\":1}"),
            ("\"minimum\":{}", "\"minimum\":{\"maximum_age\":0}"), ("\"minimum\":{},", ""),
            ("\"minimum\":{}", "\"minimum\":{\"policy_ids\":[\"\"]}"),
            ("\"minimum\":{}", "\"minimum\":{\"policy_digests\":[\"AB\"]}"),
            ("\"minimum\":{}", "\"minimum\":{\"maximum_status_age\":86401}"),
            ("\"minimum\":{}", "\"minimum\":{\"key_protection\":\"paper\"}"),
            ("\"iss\":\"https", "\"iss\":\" https"), ("\"iss\":", "\"i\":"), ("\"next_keys\":[],", ""),
            ("\"next_keys\":[]", "\"next_keys\":[{}]"), ("\"use\":\"sig\"", "\"use\":\"enc\""),
            ("\"use\":\"sig\"", "\"use\":\"sig\",\"d\":\"AA\""), ("ES256", "ES384"),
            ("\"status_lists\":[]", "\"status_lists\":[\"a.b.c\"]"), ("\"status_lists\":[]", "\"status_lists\":{}"),
            ("\"status_lists\":[]", "\"status_lists\":[],\"x\":1"), ("\"issuers\":[", "\"issuers\":[1,"),
        ] {
            #expect(try stage.fault(replacing: target, with: replacement) == .content, "\(replacement)")
        }
        let payload = try BundleStage.text(stage.first())
        let issuers = try #require(payload.firstRange(of: "\"issuers\":["))
        let issuer = String(payload[issuers.upperBound...].dropLast(2))
        #expect(try stage.fault(replacing: issuer, with: issuer + "," + issuer) == .content)
        #expect(try stage.fault(replacing: issuer, with: "") == .content)
        let key = try #require(issuer.firstMatch(of: /"keys":\[(.*)\],"next_keys":\[\]/)?.output.1)
        #expect(try stage.fault(replacing: "\"next_keys\":[]", with: "\"next_keys\":[\(key)]") == .content)
    }

    @Test("Counts are bounded")
    func counts() throws {
        let stage = try BundleStage()
        func fault(_ target: String, _ element: String, _ count: Int) throws -> BundleError.Code? {
            let many = Array(repeating: element, count: count).joined(separator: ",")
            return try stage.fault(replacing: target + "[]", with: target + "[" + many + "]")
        }
        #expect(try fault("\"next_keys\":", "{}", BundledIssuer.maximumKeyCount + 1) == .tooLarge)
        #expect(try fault("\"status_lists\":", "\"a\"", BundledIssuer.maximumListCount + 1) == .tooLarge)
        #expect(try fault("\"next_keys\":", "0", 20_000) == .content)
        let links = Array(repeating: "a", count: UnverifiedBundle.maximumLinkCount + 1)
        #expect(try stage.fault(stage.bundle(chain: links)) == .tooLarge)
        let deep = String(repeating: "[", count: 9) + String(repeating: "]", count: 9)
        #expect(try stage.fault(replacing: "\"minimum\":{}", with: "\"minimum\":\(deep)") == .content)
    }

    @Test("A list of somebody else's, and an issuer whose key signs bundles, are refused")
    func foreign() throws {
        let stage = try BundleStage(), alien = try TokenForge()
        let list = try alien.statusList("urn:l", issuedAt: Stage.now)
        #expect(throws: BundleError(.content, "")) { try stage.first(stage.content(lists: [list])) }
        var content = try stage.content()
        content.issuers = [
            BundledIssuer(
                name: Stage.issuer, currentKeys: JSONWebKeySet([stage.root.keyID: stage.root.publicKey]))
        ]
        #expect(throws: BundleError(.content, "")) { try stage.first(content) }
        content.issuers = [
            BundledIssuer(
                name: Stage.issuer,
                currentKeys: JSONWebKeySet([stage.forge.signingKey.keyID: stage.forge.signingKey.publicKey]))
        ]
        #expect(throws: BundleError(.content, "")) {
            try stage.first(content, next: [stage.forge.signingKey.keyID])
        }
    }

    @Test("A bundle, a link, a passport, a list and a proof are never taken for one another")
    func confusion() throws {
        let stage = try BundleStage(), bundle = try stage.first(), now = Stage.now
        let passport = try stage.forge.signingKey.mint(stage.forge.result(issuedAt: now))
        let list = try stage.forge.statusList("urn:l", issuedAt: now)
        let link = try UnverifiedBundle(parsing: bundle).link.token
        let request = ProvenRequest(method: "GET", uri: "https://service.example/a")
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: now)
        for other in [passport, list, link, proof] { #expect(try stage.fault(other) == .header) }
        // Even where one key does everything, the type tells.
        let verifier = try PassportVerifier(
            keySet: JSONWebKeySet([stage.root.keyID: stage.root.publicKey]),
            expectations: Expectations(issuer: Stage.issuer, audience: Stage.audience))
        for other in [bundle, link] {
            #expect(throws: Refusal.self) { try verifier.verify(other, at: now) }
            #expect(throws: StatusListError(.header, "")) { try UnverifiedStatusListToken(parsing: other) }
        }
        let good = try PassportVerifier(bundle: stage.open(bundle), audience: Stage.audience)
        let result = try good.verify(passport, at: now)
        for other in [bundle, link] {
            #expect(throws: Refusal.self) { try good.prove(result, by: other, of: request, at: now) }
        }
        #expect(try stage.fault(stage.bundle(chain: [String(decoding: bundle, as: UTF8.self)])) != nil)
    }

    /// 32 bytes in base64url.
    private static let thumbprint = String(repeating: "A", count: 43)

    @Test("A copy that was damaged is no fork of the bundle that is remembered")
    func damage() throws {
        let stage = try BundleStage(), bundle = try stage.first(), trust = try stage.open(bundle).trust
        let spoiled = try BundleStage.text(bundle).replacing(Stage.issuer, with: "https://attacker.example")
        let parts = String(decoding: bundle, as: UTF8.self).split(separator: ".")
        let copy = "\(parts[0]).\(Base64URL.encode(Array(spoiled.utf8))).\(parts[2])"
        #expect(try stage.fault(Array(copy.utf8), trust) == .signature)
        // One that fits is a fork, whoever signed it.
        let alien = try SigningKey(.generate())
        for key in [stage.root, alien] {
            let other = try key.sign(stage.content(lifetime: 5000), named: BundleStage.name)
            #expect(try stage.fault(other, trust) == .fork)
        }
    }

    @Test(
        "A remembered trust that cannot be read is refused",
        arguments: [
            "", "{}", "[]", #"{"ver":1}"#, #"{"ver":1,"name":"a","seq":1,"sha256":"AA","signers":[]}"#,
            #"{"ver":1,"signers":[]}"#, #"{"ver":1,"signers":["\#(thumbprint)","\#(thumbprint)"]}"#,
            #"{"ver":1,"name":"a","signers":["\#(thumbprint)"]}"#,
            #"{"ver":1,"name":"a","sha256":"\#(thumbprint)","signers":["\#(thumbprint)"]}"#,
            #"{"ver":1,"name":"a","seq":1,"signers":["\#(thumbprint)"]}"#,
            #"{"ver":1,"seq":1,"sha256":"\#(thumbprint)","signers":["\#(thumbprint)"]}"#,
        ])
    func remembered(text: String) throws {
        #expect(throws: BundleError(.content, "")) { try BundleTrust(parsing: Array(text.utf8)) }
    }
}
