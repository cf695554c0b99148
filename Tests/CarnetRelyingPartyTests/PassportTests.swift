import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

/// One forge plays the issuer; the clock stands at 1,800,000,000 seconds.
struct Stage {
    static let now: Int64 = 1_800_000_000
    static let issuer = "https://verifier.example"
    static let audience = "https://service.example"
    let forge: TokenForge
    let verifier: PassportVerifier
    /// The same, with a memory for accepted passports.
    let remembering: PassportVerifier

    init(_ adjust: (inout Expectations) -> Void = { _ in }) throws {
        forge = try TokenForge()
        var expectations = Expectations(issuer: Self.issuer, audience: Self.audience)
        adjust(&expectations)
        verifier = try PassportVerifier(keySet: forge.keySet, expectations: expectations)
        remembering = try PassportVerifier(keySet: forge.keySet, expectations: expectations, remembering: 32)
    }

    func good(_ lifetime: Int64 = 300, issuedAt: Int64 = now) throws -> [UInt8] {
        try forge.signingKey.mint(forge.result(issuedAt: issuedAt, lifetime: lifetime))
    }

    /// The payload of a good token, as text to spoil.
    func payload() throws -> String { String(decoding: try forge.result(issuedAt: Self.now).claimsSet, as: UTF8.self) }

    /// The refusal of a token, which is the same by every way in: at first sight, with a memory, seen again, and explained.
    func refusal(_ token: [UInt8], at now: Int64 = now) -> Refusal.Code? {
        let code = Self.refusal(verifier, token, now)
        for _ in 0..<2 { #expect(Self.refusal(remembering, token, now) == code) }
        let explanation = verifier.explain(token, at: now)
        #expect(explanation.isAccepted == (code == nil) && explanation.lacks.first?.code == code?.rawValue)
        return code
    }

    private static func refusal(_ verifier: PassportVerifier, _ token: [UInt8], _ now: Int64) -> Refusal.Code? {
        do throws(Refusal) {
            _ = try verifier.verify(token, at: now)
            return nil
        } catch {
            return error.code
        }
    }

    /// The refusal of a signed token whose payload has `target` replaced; the replacement must have an effect.
    func refusal(replacing target: String, with replacement: String) throws -> Refusal.Code? {
        let payload = try payload()
        let spoiled = payload.replacing(target, with: replacement)
        #expect(spoiled != payload, "\(target) does not occur")
        return refusal(try forge.token(payload: spoiled))
    }

    func refusal(header: String) throws -> Refusal.Code? {
        refusal(try forge.token(header: header, payload: payload()))
    }
}

@Suite("Passports")
struct PassportTests {
    @Test("A good passport is accepted, and says what it says")
    func good() throws {
        let stage = try Stage()
        let token = try stage.good()
        let result = try stage.verifier.verify(token, at: Stage.now)
        #expect(result.issuer == Stage.issuer && result.status == .affirming && result.expiresAt == Stage.now + 300)
        #expect(result.subject.hasPrefix("urn:carnet:node:") && result.nonce == [UInt8](repeating: 7, count: 32))
        let tpm = try #require(result.submodules["tpm"])
        #expect(tpm.depth == .eventLog && tpm.keyProtection == .tpm && tpm.secureBoot == true)
        #expect(tpm.vector[.executables] == 3 && tpm.encryptionKey != nil)
        #expect(token.count <= 4096, "a plain node's token is small")
        #expect(result.keyThumbprint == (try JSONWebKey(stage.forge.holderKey.publicKey)).thumbprint)
    }

    @Test("Another spelling of the same header is read as well")
    func headers() throws {
        let stage = try Stage()
        let kid = stage.forge.signingKey.keyID
        for type in ["eat+jwt", "EAT+JWT", "application/eat+jwt"] {
            #expect(try stage.refusal(header: #"{"typ":"\#(type)", "kid":"\#(kid)","alg":"ES256"}"#) == nil)
        }
        #expect(
            try stage.refusal(
                replacing: #""aud":["https://service.example"]"#, with: #""aud":"https://service.example""#) == nil)
    }

    @Test("No single flipped bit of a passport is accepted")
    func everyBit() throws {
        let stage = try Stage()
        let token = try stage.good()
        for bit in 0..<(token.count * 8) {
            var changed = token
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(stage.refusal(changed) != nil, "bit \(bit)")
        }
    }

    @Test("Every truncation and every appended byte is refused")
    func exactness() throws {
        let stage = try Stage()
        let token = try stage.good()
        for count in 0..<token.count { #expect(stage.refusal(Array(token.prefix(count))) != nil) }
        for byte in [UInt8(ascii: "A"), UInt8(ascii: "="), UInt8(ascii: "\n"), UInt8(ascii: " "), UInt8(ascii: "."), 0]
        {
            #expect(stage.refusal(token + [byte]) != nil)
            #expect(stage.refusal([byte] + token) != nil)
        }
    }

    @Test("Times are checked on both sides, with the skew and not a second more")
    func times() throws {
        let stage = try Stage()
        let token = try stage.good()
        #expect(stage.refusal(token, at: Stage.now + 329) == nil)
        #expect(stage.refusal(token, at: Stage.now + 330) == .expired)
        #expect(stage.refusal(token, at: Stage.now - 30) == nil)
        #expect(stage.refusal(token, at: Stage.now - 31) == .notYetValid)
        let impatient = try Stage { $0.maximumAge = 60 }
        let old = try impatient.good()
        #expect(impatient.refusal(old, at: Stage.now + 90) == nil)
        #expect(impatient.refusal(old, at: Stage.now + 91) == .tooOld)
        #expect(try stage.refusal(replacing: #""exp":1800000300"#, with: #""exp":1800003601"#) == .lifetime)
        #expect(try stage.refusal(replacing: #""exp":1800000300"#, with: #""exp":1799999999"#) == .lifetime)
        #expect(try stage.refusal(replacing: #""nbf":1800000000"#, with: #""nbf":1800000031"#) == .notYetValid)
        var expectations = Expectations(issuer: "", audience: "")
        expectations.clockSkew = 3600
        #expect(expectations.clockSkew == 60)
    }

    @Test(
        "A claim that is missing, of another type, or not what is demanded is refused with its reason",
        arguments: [
            (#""iss":"https://verifier.example""#, #""iss":"https://verifier.example/""#, Refusal.Code.issuer),
            (#""iss":"https://verifier.example","#, "", .issuer),
            (#""iss":"https://verifier.example""#, #""iss":["https://verifier.example"]"#, .issuer),
            (#""aud":["https://service.example"],"#, "", .audience),
            (#""aud":["https://service.example"]"#, #""aud":["https://other.example"]"#, .audience),
            (#""aud":["https://service.example"]"#, #""aud":[]"#, .audience),
            (#""aud":["https://service.example"]"#, #""aud":{"https://service.example":1}"#, .audience),
            (#""iat":1800000000"#, #""iat":1800000000.0"#, .claims),
            (#""exp":1800000300"#, #""exp":1.8000003e9"#, .claims),
            (#""exp":1800000300"#, #""exp":"1800000300""#, .claims),
            (#""exp":1800000300"#, #""exp":9223372036854775807"#, .claims),
            (#""exp":1800000300,"#, "", .claims),
            (#""iat":1800000000,"#, "", .claims),
            (#""nbf":1800000000"#, #""nbf":-1"#, .claims),
            (
                #""eat_profile":"tag:ietf.org,2026:rats/ear#04""#, #""eat_profile":"tag:ietf.org,2026:rats/ear#03""#,
                .profile
            ),
            (#""eat_profile":"tag:ietf.org,2026:rats/ear#04","#, "", .profile),
            (#""sub":"urn:carnet:node:11111111-2222-3333-4444-555555555555","#, "", .claims),
            (#""ear_status":"affirming","cnf""#, #""ear_status":"contraindicated","cnf""#, .tier),
            (#""ear_status":"affirming","cnf""#, #""ear_status":"none","cnf""#, .tier),
            (#""ear_status":"affirming","cnf""#, #""ear_status":"splendid","cnf""#, .claims),
            (#""ear_status":"affirming","cnf""#, #""ear_status":2,"cnf""#, .claims),
            (#""tpm":{"ear_status":"affirming""#, #""tpm":{"ear_status":"warning""#, .tier),
            (#""submods":{"tpm":{"#, #""submods":{"sgx":{"#, .submodule),
            (#""submods""#, #""submodules""#, .submodule),
            (#""executables":3"#, #""executables":96"#, .claims),
            (#""executables":3"#, #""executables":300"#, .claims),
            (#""key_protection":"tpm""#, #""key_protection":"software""#, .keyProtection),
            (#""key_protection":"tpm","#, "", .keyProtection),
            (#""cnf":{"jkt":"#, #""cnf":{"kid":"#, .binding),
            (#""cnf":{"#, #""cnf":{"x5t#S256":"AA","#, .binding),
            (#""cnf":{"#, #""cnf2":{"#, .binding),
            (#""enc_jwk":{"kty":"EC""#, #""enc_jwk":{"kty":"RSA""#, .claims),
            (
                #""jti""#, #""status":{"status_list":{"idx":0,"uri":"https://verifier.example/s/1"}},"jti""#,
                .statusUnknown
            ),
            (#""jti""#, #""iss":"https://verifier.example","jti""#, .duplicateMember),
            (#""executables":3"#, #""executables":3,"executables":3"#, .duplicateMember),
        ])
    func claims(target: String, replacement: String, expected: Refusal.Code) throws {
        let stage = try Stage()
        #expect(try stage.refusal(replacing: target, with: replacement) == expected)
    }

    @Test("Expectations beyond the defaults are enforced")
    func expectations() throws {
        func refusal(_ adjust: (inout Expectations) -> Void) throws -> Refusal.Code? {
            let stage = try Stage(adjust)
            return stage.refusal(try stage.good())
        }
        #expect(try refusal { $0.vectorFloors = [.hardware: .affirming] } == nil)
        #expect(try refusal { $0.vectorFloors = [.fileSystem: .warning] } == .vector)
        #expect(try refusal { $0.policyIDs = ["tag:carnet.dev,2026:policy/demo"] } == nil)
        #expect(try refusal { $0.policyIDs = ["tag:carnet.dev,2026:policy/demo@sha256:00"] } == nil)
        #expect(try refusal { $0.policyIDs = ["tag:carnet.dev,2026:policy/demo@sha256:01"] } == .policy)
        #expect(try refusal { $0.policyIDs = ["tag:carnet.dev,2026:policy/dem"] } == .policy)
        #expect(try refusal { $0.minimumDepth = .eventLog } == nil)
        #expect(try refusal { $0.nonce = [UInt8](repeating: 7, count: 32) } == nil)
        #expect(try refusal { $0.nonce = [UInt8](repeating: 8, count: 32) } == .nonce)
        #expect(try refusal { $0.requiredSubmodules = ["tpm", "gpu"] } == .submodule)
        #expect(try refusal { $0.maximumLifetime = 299 } == .lifetime)
        let shallow = try Stage { $0.minimumDepth = .eventLog }
        #expect(
            try shallow.refusal(replacing: #""appraisal_depth":"event-log""#, with: #""appraisal_depth":"pcrs""#)
                == .depth)
        let lenient = try Stage { $0.minimumTier = .contraindicated }
        let bad = try lenient.forge.signingKey.mint(lenient.forge.result(issuedAt: Stage.now, status: .contraindicated))
        #expect(lenient.refusal(bad) == nil)
    }
}
