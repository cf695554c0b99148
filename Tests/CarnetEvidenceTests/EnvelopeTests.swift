import CarnetEvidence
import CarnetTesting
import StrictEncoding
import TPM2
import Testing

@Suite("The evidence envelope")
struct EnvelopeTests {
    let good: Evidence
    let text: String

    init() throws {
        let challenge = Challenge(nonce: [1], selection: .init(bank: .sha256, indices: [0, 4]), expiresAt: 0)
        let value = [UInt8](repeating: 1, count: 32)
        var recipe = EvidenceForge.Recipe()
        recipe.eventLog = [1, 2, 3]
        good = try EvidenceForge().evidence(challenge, pcrs: [.sha256: [0: value, 4: value]], recipe)
        text = String(decoding: good.bytes, as: UTF8.self)
    }

    private func member(_ text: String) -> String? {
        do {
            _ = try UnverifiedQuote(Evidence(parsing: Array(text.utf8)))
            return nil
        } catch {
            return error.member
        }
    }

    @Test("What is written is read back, also inside a CMW record")
    func roundTrip() throws {
        #expect(try Evidence(parsing: good.bytes) == good)
        let value = Base64URL.encode(good.bytes)
        #expect(try Evidence(parsing: Array(#"["\#(Evidence.mediaType)","\#(value)"]"#.utf8)) == good)
        #expect(try Evidence(parsing: Array(#"["\#(Evidence.mediaType)","\#(value)",4]"#.utf8)) == good)
        for record in [
            #"["text/plain","\#(value)"]"#, #"["\#(Evidence.mediaType)","\#(value)",8]"#,
            #"["\#(Evidence.mediaType)"]"#, #"["\#(Evidence.mediaType)","!"]"#,
        ] {
            #expect(throws: EvidenceError.self) { try Evidence(parsing: Array(record.utf8)) }
        }
    }

    @Test("A member that is missing, unknown, repeated or of another type is named")
    func members() {
        func spoiled(_ target: String, _ replacement: String) -> String? {
            let changed = text.replacing(target, with: replacement, maxReplacements: 1)
            #expect(changed != text, "\(target)")
            return member(changed)
        }
        #expect(member(text) == nil)
        #expect(spoiled(#""ak":"#, #""ek":"#) == "ak")
        #expect(spoiled(#""ak":""#, #""ak":"=""#) != nil)
        #expect(spoiled(#""quote":{"#, #""quote":{"extra":1,"#) == "quote.extra")
        #expect(spoiled(#""attest":""#, #""attest":"AAAA"#) == "quote.attest")
        #expect(spoiled(#""signature":""#, #""signature":"AAAA"#) == "quote.signature")
        #expect(spoiled(#""pcrs":{"sha256""#, #""pcrs":{"md5""#) == "pcrs")
        #expect(spoiled(#"{"0":"#, #"{"00":"#) == "pcrs.sha256")
        #expect(spoiled(#"{"0":"#, #"{"24":"#) == "pcrs.sha256")
        #expect(spoiled(#"{"0":"#, #"{"0":7,"1":"#) == "pcrs.sha256.0")
        #expect(spoiled(#""bound":"#, #""ima":{},"bound":"#) == "ima")
        #expect(spoiled(#""event_log":""#, #""event_log":"*"#) == "event_log")
        #expect(spoiled(#""event_log":"AQID""#, #""event_log":null"#) == "event_log")
        #expect(spoiled(#""certify":""#, #""certify":"AAAA"#) == "key_attestation.certify")
        #expect(spoiled(#""ak":"#, #""ak":"","ak":"#) == "", "duplicates have no place")
        #expect(member("[]") == "" && member("{}") == "ak" && member("") == "" && member("7") == "")
    }

    @Test("Bound keys are points of P-256 and nothing else")
    func bound() throws {
        func member(_ bound: String) -> String? {
            let evidence = Evidence(
                attestationKey: good.attestationKey, quote: good.quote, pcrs: good.pcrs, eventLog: nil,
                bound: Array(bound.utf8),
                keyAttestation: nil, encryptionKeyAttestation: nil)
            do {
                _ = try UnverifiedQuote(evidence)
                return nil
            } catch {
                return error.member
            }
        }
        let bytes = String(decoding: good.bound, as: UTF8.self)
        #expect(member(bytes) == nil)
        #expect(member("{}") == "bound.cnf")
        #expect(member(bytes.replacing(#""kty":"EC""#, with: #""kty":"OKP""#)) == "bound.cnf.jwk.kty")
        #expect(member(bytes.replacing(#""cnf":{"#, with: #""cnf":{"d":1,"#)) == "bound.cnf.d")
        #expect(member(bytes.replacing(#""x":""#, with: #""x":"AA"#, maxReplacements: 1)) == "bound.cnf.jwk.x")
        #expect(
            member(
                #"{"cnf":{"jwk":{"kty":"EC","crv":"P-256","x":"\#(String(repeating: "A", count: 43))","y":"\#(String(repeating: "A", count: 43))"}}}"#
            ) == "bound.cnf.jwk.x")
        #expect(member(bytes + " x") == "bound")
    }

    @Test("Sizes and depths are bounded before anything is read")
    func bounds() {
        #expect(throws: EvidenceError.self) {
            try Evidence(parsing: [UInt8](repeating: UInt8(ascii: " "), count: Evidence.maximumByteCount + 1))
        }
        #expect(throws: EvidenceError.self) { try Evidence(parsing: Array(String(repeating: "[", count: 1000).utf8)) }
    }
}

@Suite("Sessions")
struct SessionSealTests {
    let seal = SessionSeal(key: [UInt8](repeating: 1, count: 32))
    let challenge = Challenge(
        nonce: [UInt8](repeating: 2, count: 32), selection: .init(bank: .sha256, indices: [0, 7]),
        attestationKey: EvidenceForge.endorsementName, requesterNonce: [3, 4, 5, 6, 7, 8, 9, 10], expiresAt: 1000)

    @Test("A session carries its challenge until its time is over")
    func roundTrip() throws {
        let session = seal.seal(challenge)
        #expect(session.utf8.count < 400)
        #expect(try seal.open(session, at: 999) == challenge)
        #expect(throws: SessionSeal.OpenError.expired) { try seal.open(session, at: 1000) }
        let plain = Challenge(nonce: challenge.nonce, selection: challenge.selection, expiresAt: 1000)
        #expect(try seal.open(seal.seal(plain), at: 0) == plain)
    }

    @Test("No other key, character or length opens")
    func forged() {
        let session = seal.seal(challenge)
        #expect(throws: SessionSeal.OpenError.unknown) {
            try SessionSeal(key: [UInt8](repeating: 2, count: 32)).open(session, at: 0)
        }
        let alphabet = Array("AZaz09-_")
        for index in session.indices {
            for other in alphabet where other != session[index] {
                var changed = session
                changed.replaceSubrange(index...index, with: [other])
                #expect(throws: SessionSeal.OpenError.unknown) { try seal.open(changed, at: 0) }
            }
        }
        for count in 0..<session.count {
            #expect(throws: SessionSeal.OpenError.unknown) { try seal.open(session.prefix(count), at: 0) }
        }
    }
}
