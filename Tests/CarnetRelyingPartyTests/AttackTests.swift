import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

/// The attacks of RFC 8725 §2 and of its successor draft, each on an otherwise good passport.
@Suite("Attacks on tokens")
struct AttackTests {
    @Test(
        "Algorithms other than the registered key's are refused",
        arguments: ["none", "None", "noNE", "HS256", "RS256", "ES384", "es256", "EdDSA", ""])
    func algorithm(name: String) throws {
        let stage = try Stage()
        #expect(
            try stage.refusal(header: #"{"alg":"\#(name)","typ":"eat+jwt","kid":"\#(stage.forge.signingKey.keyID)"}"#)
                == .algorithm)
    }

    @Test("An unsigned token and one signed with the public key as an HMAC secret are refused")
    func confusion() throws {
        let stage = try Stage()
        let kid = stage.forge.signingKey.keyID
        let payload = Base64URL.encode(Array(try stage.payload().utf8))
        let none = Base64URL.encode(Array(#"{"alg":"none","typ":"eat+jwt","kid":"\#(kid)"}"#.utf8))
        #expect(stage.refusal(Array((none + "." + payload + ".").utf8)) == .malformed)
        let header = Base64URL.encode(Array(#"{"alg":"HS256","typ":"eat+jwt","kid":"\#(kid)"}"#.utf8))
        let secret = try stage.forge.key.publicKey.subjectPublicKeyInfo
        let code = HMAC.authenticationCode(.sha256, key: secret, Array((header + "." + payload).utf8))
        #expect(stage.refusal(Array((header + "." + payload + "." + Base64URL.encode(code)).utf8)) == .algorithm)
    }

    @Test(
        "A header that brings or names a key, or demands an extension, is refused",
        arguments: ["jwk", "jku", "x5u", "x5c", "x5t", "crit", "b64", "zip", "enc"])
    func headerMember(name: String) throws {
        let stage = try Stage()
        let header = #"{"alg":"ES256","typ":"eat+jwt","kid":"\#(stage.forge.signingKey.keyID)","\#(name)":["x"]}"#
        #expect(try stage.refusal(header: header) == .header)
    }

    @Test("A foreign, missing or odd kid is refused, and so is a key of somebody else under a known kid")
    func keyIDs() throws {
        let stage = try Stage()
        #expect(try stage.refusal(header: #"{"alg":"ES256","typ":"eat+jwt","kid":"other"}"#) == .unknownKey)
        #expect(try stage.refusal(header: #"{"alg":"ES256","typ":"eat+jwt"}"#) == .unknownKey)
        #expect(try stage.refusal(header: #"{"alg":"ES256","typ":"eat+jwt","kid":1}"#) == .unknownKey)
        #expect(try stage.refusal(header: #"{"alg":"ES256","typ":"eat+jwt","kid":"../../etc/passwd"}"#) == .unknownKey)
        let stranger = try TokenForge()
        #expect(stage.refusal(try stranger.token(header: stage.forge.header, payload: stage.payload())) == .signature)
        #expect(stage.refusal(try stranger.token(payload: stage.payload())) == .unknownKey)
    }

    @Test(
        "Types of other tokens are refused",
        arguments: ["JWT", "dpop+jwt", "statuslist+jwt", "at+jwt", "eat+jwt ", "application/application/eat+jwt"])
    func types(name: String) throws {
        let stage = try Stage()
        #expect(
            try stage.refusal(header: #"{"alg":"ES256","typ":"\#(name)","kid":"\#(stage.forge.signingKey.keyID)"}"#)
                == .type)
        #expect(try stage.refusal(header: #"{"alg":"ES256","kid":"\#(stage.forge.signingKey.keyID)"}"#) == .type)
    }

    @Test("Duplicate members of the header are refused")
    func duplicateHeader() throws {
        let stage = try Stage()
        let kid = stage.forge.signingKey.keyID
        #expect(
            try stage.refusal(header: #"{"alg":"none","typ":"eat+jwt","kid":"\#(kid)","alg":"ES256"}"#)
                == .duplicateMember)
    }

    @Test("Padding, other alphabets, white space and non-canonical bits are refused")
    func encoding() throws {
        let stage = try Stage()
        let token = String(decoding: try stage.good(), as: UTF8.self)
        let parts = token.split(separator: ".").map(String.init)
        func refused(_ parts: [String]) -> Refusal.Code? { stage.refusal(Array(parts.joined(separator: ".").utf8)) }
        #expect(refused(parts) == nil)
        #expect(refused([parts[0] + "=", parts[1], parts[2]]) == .malformed)
        #expect(refused([parts[0], parts[1], parts[2] + "=="]) == .malformed)
        #expect(refused([parts[0], parts[1] + "\n", parts[2]]) == .malformed)
        #expect(
            refused([parts[0], parts[1], parts[2].replacing("_", with: "/").replacing("-", with: "+") + "+"])
                == .malformed)
        // A signature of 64 bytes ends in a character with four bits that carry nothing.
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let last = try #require(parts[2].last), value = try #require(alphabet.firstIndex(of: last))
        for bits in 1..<16 {
            let other = String(parts[2].dropLast()) + String(alphabet[value | bits])
            #expect(refused([parts[0], parts[1], other]) == .malformed)
        }
    }

    @Test("Signatures of zeros, in DER, or of another length are refused")
    func signatures() throws {
        let stage = try Stage()
        let token = String(decoding: try stage.good(), as: UTF8.self)
        let input = token.split(separator: ".").prefix(2).joined(separator: ".")
        func refused(_ signature: [UInt8]) -> Refusal.Code? {
            stage.refusal(Array((input + "." + Base64URL.encode(signature)).utf8))
        }
        let signature = try stage.forge.key.ecdsaSignature(over: Array(input.utf8), .sha256)
        #expect(refused(signature) == nil)
        #expect(refused([UInt8](repeating: 0, count: 64)) == .signature)
        #expect(refused([UInt8](repeating: 0xFF, count: 64)) == .signature)
        #expect(refused([]) == .malformed)
        #expect(refused(signature + [0]) == .signature)
        #expect(refused(Array(signature.dropLast())) == .signature)
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] { [2, 33, 0] + bytes }
        let body = integer(signature[..<32]) + integer(signature[32...])
        #expect(refused([0x30, UInt8(body.count)] + body) == .signature)
        // n, the order of P-256: (r, n) and (n, s) are outside of [1, n-1].
        let order = try #require(Hexadecimal.decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"))
        #expect(refused(Array(signature[..<32]) + order) == .signature)
        #expect(refused(order + Array(signature[32...])) == .signature)
    }

    @Test("Five parts, four parts, one megabyte and deep nesting are refused at once")
    func shapes() throws {
        let stage = try Stage()
        let good = String(decoding: try stage.good(), as: UTF8.self)
        #expect(stage.refusal(Array((good + ".AAAA.AAAA").utf8)) == .encrypted)
        #expect(stage.refusal(Array((good + ".AAAA").utf8)) == .malformed)
        #expect(stage.refusal(Array("..".utf8)) == .malformed)
        #expect(stage.refusal([]) == .malformed)
        #expect(stage.refusal([UInt8](repeating: UInt8(ascii: "A"), count: 1 << 20)) == .tooLarge)
        #expect(stage.refusal([UInt8](repeating: UInt8(ascii: "."), count: 16_000)) == .malformed)
        let deep = #"{"a":"# + String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000) + "}"
        #expect(stage.refusal(try stage.forge.token(payload: deep)) == .claims)
        #expect(try stage.refusal(header: #"{"kid":"# + String(repeating: "[", count: 500)) == .header)
        #expect(stage.refusal(try stage.forge.token(payload: "[]")) == .claims)
        #expect(stage.refusal(try stage.forge.token(payload: "null")) == .claims)
        #expect(try stage.refusal(header: "[]") == .header)
    }

    @Test("Key sets that are ambiguous, private or empty are not used")
    func keySets() throws {
        let forge = try TokenForge(), kid = forge.signingKey.keyID
        let key = Base64URL.encode(forge.signingKey.publicKey.x), y = Base64URL.encode(forge.signingKey.publicKey.y)
        func entry(_ extra: String = "", kid: String, y: String) -> String {
            #"{"kty":"EC","crv":"P-256","x":"\#(key)","y":"\#(y)","alg":"ES256","kid":"\#(kid)"\#(extra)}"#
        }
        func set(_ entries: String...) throws -> JSONWebKeySet {
            try JSONWebKeySet(parsing: Array(#"{"keys":[\#(entries.joined(separator: ","))]}"#.utf8))
        }
        #expect(try set(entry(kid: kid, y: y)).keys.count == 1)
        #expect(throws: JOSEError.self) { try set(entry(kid: kid, y: y), entry(kid: kid, y: y)) }
        #expect(throws: JOSEError.self) { try set(entry(#","d":"AA""#, kid: kid, y: y)) }
        #expect(throws: JOSEError.self) { try set(entry(kid: kid, y: key)) }
        #expect(throws: JOSEError.self) { try set() }
        #expect(throws: JOSEError.self) { try set(#"{"kty":"oct","k":"AA","kid":"a","alg":"HS256"}"#) }
        #expect(throws: JOSEError.self) { try set(#"{"kty":"RSA","n":"AA","e":"AQAB","kid":"a","alg":"RS256"}"#) }
        let mixed = try set(entry(kid: kid, y: y), #"{"kty":"RSA","n":"AA","e":"AQAB","kid":"a","alg":"RS256"}"#)
        #expect(mixed.keys.count == 1 && mixed.ignored.count == 1)
        #expect(throws: JOSEError.self) { try set(entry(#","use":"enc""#, kid: kid, y: y)) }
        #expect(throws: JOSEError.self) { try JSONWebKeySet(parsing: Array("{}".utf8)) }
        #expect(throws: JOSEError.self) { try JSONWebKeySet(parsing: Array(#"{"keys":[],"keys":[]}"#.utf8)) }
    }
}
