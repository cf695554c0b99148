import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

/// Rules about claims that a signature alone does not keep: an issuer's mistake, or another library's leniency, is refused too.
@Suite("Rules of the claims")
struct ClaimRulesTests {
    /// Each member that a passport must have, and what is refused when it is gone.
    @Test(
        "A passport without one of its claims is refused",
        arguments: [
            ("eat_profile", Refusal.Code.profile), ("iss", .issuer), ("sub", .claims), ("aud", .audience),
            ("iat", .claims), ("nbf", .claims), ("exp", .claims), ("jti", .claims), ("ear_verifier_id", .claims),
            ("ear_status", .claims), ("cnf", .binding), ("submods", .submodule),
        ])
    func missing(name: String, expected: Refusal.Code) throws {
        let stage = try Stage()
        let payload = try stage.payload()
        // Renamed, not removed: the first of this name is the top level's.
        let spoiled = payload.replacing("\"\(name)\":", with: "\"x_\(name)\":", maxReplacements: 1)
        #expect(spoiled != payload)
        #expect(stage.refusal(try stage.forge.token(payload: spoiled)) == expected)
    }

    @Test(
        "Claims of another shape are refused",
        arguments: [
            (#""jti":""#, #""jti":1,"x":""#, Refusal.Code.claims), (#""sub":""#, #""sub":"","x":""#, .claims),
            (#"{"developer":"#, #"{"maker":"#, .claims), (#""build":""#, #""build":1,"x":""#, .claims),
            (#""aud":["https://service.example"]"#, #""aud":["https://service.example",1]"#, .audience),
            (#""aud":["https://service.example"]"#, #""aud":[["https://service.example"]]"#, .audience),
            (#""aud":["https://service.example"]"#, #""aud":"https://SERVICE.example""#, .audience),
            (#""nbf":1800000000"#, #""nbf":1800000000.0"#, .claims), (#""nbf":1800000000"#, #""nbf":null"#, .claims),
            (#""iat":1800000000"#, #""iat":1800000031"#, .notYetValid),
            (#""iat":1800000000"#, #""iat":18000000000"#, .claims), (#""iat":1800000000"#, #""iat":"now""#, .claims),
            (#""eat_nonce":"B"#, #""eat_nonce":"="#, .claims), (#""eat_nonce":""#, #""eat_nonce":1,"z":""#, .claims),
            (#""ear_trustworthiness_vector":{"#, #""ear_trustworthiness_vector":[],"x":{"#, .claims),
            (#""executables":3"#, #""executables":3.0"#, .claims),
            (#""executables":3"#, #""executables":"3""#, .claims),
            (#""executables":3"#, #""executables":-129"#, .claims),
            (#""executables":3"#, #""executables":128"#, .claims),
            (#""executables":3"#, #""executables":32"#, .claims), (#""executables":3"#, #""executables":-40"#, .claims),
            (#""submods":{"#, #""submods":[],"x":{"#, .submodule),
            (#""submods":{"#, #""submods":{},"x":{"#, .submodule),
            (#""tpm":{"#, #""tpm":"eyJ","x":{"#, .claims),
            (#""cnf":{"jkt":""#, #""cnf":{"jkt":"AA"},"x":{"y":""#, .binding),
            (#""cnf":{"jkt":"#, #""cnf":["#, .claims),
            (#""x":""#, #""x":"A"#, .claims),
        ])
    func shapes(target: String, replacement: String, expected: Refusal.Code) throws {
        let stage = try Stage()
        #expect(try stage.refusal(replacing: target, with: replacement) == expected)
    }

    @Test("A nonce has 8 to 64 bytes", arguments: [(7, false), (8, true), (64, true), (65, false)])
    func nonceLength(count: Int, accepted: Bool) throws {
        let stage = try Stage()
        let old = Base64URL.encode([UInt8](repeating: 7, count: 32))
        let new = Base64URL.encode([UInt8](repeating: 9, count: count))
        #expect(try stage.refusal(replacing: old, with: new) == (accepted ? nil : .claims))
    }

    @Test("A member that is written twice in two spellings is written twice")
    func escapedDuplicates() throws {
        let stage = try Stage()
        #expect(
            try stage.refusal(replacing: #"{"eat_profile""#, with: #"{"\u0069ss":"x","eat_profile""#)
                == .duplicateMember)
        let kid = stage.forge.signingKey.keyID
        #expect(
            try stage.refusal(header: #"{"\u0061lg":"none","typ":"eat+jwt","kid":"\#(kid)","alg":"ES256"}"#)
                == .duplicateMember)
    }

    @Test("Names are compared byte by byte: another spelling of the same characters is another name")
    func spelling() throws {
        let composed = "https://caf\u{E9}.example", decomposed = "https://cafe\u{301}.example"
        #expect(composed == decomposed, "to Swift they are equal")
        for name in ["iss", "aud"] {
            let stage = try Stage { if name == "iss" { $0.issuer = composed } else { $0.audience = composed } }
            let old = name == "iss" ? Stage.issuer : Stage.audience
            #expect(try stage.refusal(replacing: old, with: composed) == nil)
            #expect(try stage.refusal(replacing: old, with: decomposed) == (name == "iss" ? .issuer : .audience))
        }
    }

    @Test("The whole is never better than its worst part, even a part that nobody asked for")
    func worstPart() throws {
        let stage = try Stage()
        func refusal(_ other: String) throws -> Refusal.Code? {
            try stage.refusal(replacing: #""submods":{"#, with: #""submods":{"gpu":\#(other),"#)
        }
        #expect(try refusal(#"{"ear_status":"affirming"}"#) == nil)
        #expect(try refusal(#"{"ear_status":"warning"}"#) == .claims)
        #expect(try refusal(#"{"ear_status":"contraindicated"}"#) == .claims)
        #expect(try refusal(#"{"ear_status":"none"}"#) == .claims)
        #expect(try refusal(#"{}"#) == .claims)
        #expect(try refusal(#"1"#) == .claims)
        let lenient = try Stage { $0.minimumTier = .warning }
        let payload = try lenient.payload()
            .replacing(#""ear_status":"affirming","cnf""#, with: #""ear_status":"warning","cnf""#)
        #expect(lenient.refusal(try lenient.forge.token(payload: payload)) == nil, "worse than its parts is allowed")
    }

    @Test("Where the key lives matters whether or not the TPM's submodule is demanded")
    func keyProtection() throws {
        let stage = try Stage { $0.requiredSubmodules = [] }
        #expect(stage.refusal(try stage.good()) == nil)
        #expect(
            try stage.refusal(replacing: #""key_protection":"tpm","enc"#, with: #""key_protection":"software","enc"#)
                == .keyProtection)
        #expect(try stage.refusal(replacing: #""submods":{"tpm""#, with: #""submods":{"cpu""#) == .keyProtection)
        let other = try Stage {
            $0.requiredSubmodules = ["cpu"]; $0.minimumKeyProtection = .software
        }
        #expect(try other.refusal(replacing: #""submods":{"tpm""#, with: #""submods":{"cpu""#) == nil)
        #expect(
            try stage.refusal(replacing: #""key_protection":"tpm","enc"#, with: #""key_protection":"enclave","enc"#)
                == .keyProtection, "a word that is not known here is the weakest")
    }

    @Test("A policy's name without its digest is all that stands before @sha256:")
    func policies() throws {
        let old = "tag:carnet.dev,2026:policy/demo@sha256:00", mail = "tag:ops@carnet.dev,2026:policy/demo"
        func refusal(_ expected: String, _ found: String) throws -> Refusal.Code? {
            try Stage { $0.policyIDs = [expected] }.refusal(replacing: old, with: found)
        }
        #expect(try refusal(mail, mail + "@sha256:01") == nil)
        #expect(try refusal("tag:ops", mail + "@sha256:01") == .policy)
        #expect(try refusal(mail, mail + "2@sha256:01") == .policy)
        #expect(try refusal(mail, mail + "@sha512:01") == .policy)
        #expect(try refusal(mail + "@sha256:01", mail) == .policy, "a digest that is demanded must be there")
        let none = try Stage { $0.policyIDs = [mail] }
        #expect(try none.refusal(replacing: #""ear_appraisal_policy_ids""#, with: #""x""#) == .policy)
    }

    @Test("No clock and no expectation makes the arithmetic overflow", arguments: [Int64.min, -1, 0, Int64.max])
    func extremes(value: Int64) throws {
        let stage = try Stage {
            $0.maximumAge = value
            $0.maximumLifetime = value
            $0.clockSkew = value
        }
        let token = try stage.good()
        #expect(stage.refusal(token) == (value == .max ? nil : value == 0 ? .lifetime : .tooOld))
        #expect(stage.refusal(token, at: value) == (value == .max ? .expired : .notYetValid))
        var proofs = ProofExpectations()
        proofs.window = value
        #expect((1...600).contains(proofs.window))
    }

    @Test("Errors print a stranger's text without its control characters, and not all of it")
    func printing() throws {
        let stage = try Stage()
        let hostile = "\\u001b[2J\\u202e" + String(repeating: "A", count: 5000)
        let token = try stage.forge.token(payload: stage.payload().replacing(Stage.issuer, with: hostile))
        let refusal = #expect(throws: Refusal.self) { try stage.verifier.verify(token, at: Stage.now) }
        let text = try #require(refusal?.description)
        #expect(text.utf8.count < 400 && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "\(text)")
        #expect(refusal?.nextStep.isEmpty == false)
    }
}
