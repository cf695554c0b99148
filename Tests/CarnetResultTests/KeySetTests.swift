import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

@testable import CarnetResult

@Suite("Keys and key sets")
struct KeySetTests {
    private let x = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
    private let y = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"

    private func key(_ text: String) throws -> JSONWebKey {
        try JSONWebKey(JSONDocument(parsing: Array(text.utf8), maximumByteCount: 4096).root)
    }

    private func member(_ extra: String = "", x: String? = nil, y: String? = nil) -> String {
        #"{"kty":"EC","crv":"P-256","x":"\#(x ?? self.x)","y":"\#(y ?? self.y)"\#(extra)}"#
    }

    private func set(_ keys: String...) throws -> JSONWebKeySet {
        try JSONWebKeySet(parsing: Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8))
    }

    @Test("A key is read from its members in any order and with others that are public")
    func good() throws {
        let key = try key(member(#","kid":"1","use":"sig","x5t":"AA""#))
        #expect(Base64URL.encode(key.x) == x && Base64URL.encode(key.y) == y)
        #expect(try self.key(#"{"y":"\#(y)","x":"\#(x)","crv":"P-256","kty":"EC"}"#) == key)
    }

    @Test(
        "A key with a private member is refused",
        arguments: ["d", "p", "q", "dp", "dq", "qi", "k", "oth", "priv"])
    func privateMembers(name: String) throws {
        #expect(throws: JOSEError.self) { try key(member(#","\#(name)":"AA""#)) }
        #expect(throws: JOSEError.self) { try set(member(#","alg":"ES256","kid":"1""#), #"{"\#(name)":"AA"}"#) }
        // In the place of a member that must be there, it does not slip through.
        #expect(throws: JOSEError.self) { try key(#"{"kty":"EC","crv":"P-256","x":"\#(x)","\#(name)":"AA"}"#) }
    }

    @Test("Coordinates are 32 bytes in one spelling, and a point of the curve")
    func coordinates() throws {
        let short = Base64URL.encode([UInt8](repeating: 1, count: 31))
        let long = Base64URL.encode([UInt8](repeating: 1, count: 33))
        for wrong in [short, long, "", x + "=", x + "\\n", y, "+" + x.dropFirst(), String(x.dropLast()) + "5"] {
            #expect(throws: JOSEError.self, "\(wrong)") { try key(member(x: wrong)) }
        }
        let zero = Base64URL.encode([UInt8](repeating: 0, count: 32))
        #expect(throws: JOSEError.self) { try key(member(x: zero, y: zero)) }
        let ones = Base64URL.encode([UInt8](repeating: 0xFF, count: 32))
        #expect(throws: JOSEError.self) { try key(member(x: ones, y: ones)) }
        #expect(throws: JOSEError.self) { try key(#"{"kty":"EC","crv":"P-256","x":1,"y":"\#(y)"}"#) }
        #expect(throws: JOSEError.self) { try key(member().replacing("P-256", with: "P-384")) }
        #expect(throws: JOSEError.self) { try key(member().replacing("\"EC\"", with: "\"OKP\"")) }
        #expect(throws: JOSEError.self) { try key("[]") }
    }

    @Test("A key whose point nobody has looked at cannot be used when the point is off the curve")
    func unchecked() throws {
        let node = try JSONDocument(parsing: Array(member(y: x).utf8), maximumByteCount: 4096).root
        let key = try JSONWebKey(uncheckedPoint: node)
        #expect(throws: JOSEError.self) { try key.publicKey() }
        #expect(throws: JOSEError.self) { try SecretMessage.seal([1], to: key, recipientInfo: []) }
    }

    @Test("A key set keeps what it can use and says what it left out")
    func ignored() throws {
        let good = member(#","alg":"ES256","kid":"1""#)
        let set = try set(
            good, member(#","alg":"ES256""#), member(#","kid":"2""#), member(#","alg":"ES384","kid":"3""#),
            #"{"kty":"RSA","n":"AA","e":"AQAB","alg":"RS256","kid":"4"}"#,
            #"{"kty":"AKP","alg":"ML-DSA-44","kid":"5"}"#,
            member(#","alg":"ES256","kid":"6","use":"enc""#), member(#","alg":"ES256","kid":"7","key_ops":["sign"]"#),
            member(#","alg":"ES256","kid":"8","key_ops":["verify"],"use":"sig""#), "3")
        #expect(set.keys.keys.sorted() == ["1", "8"])
        #expect(set.ignored.count == 8, "\(set.ignored)")
        #expect(set.ignored.contains { $0.contains("key_ops") } && set.ignored.contains { $0.contains("kid") })
    }

    @Test("A kid that occurs twice spoils the set, even on a key that would be ignored")
    func duplicates() throws {
        let good = member(#","alg":"ES256","kid":"1""#)
        #expect(throws: JOSEError.self) { try set(good, good) }
        #expect(throws: JOSEError.self) { try set(good, #"{"kty":"RSA","alg":"RS256","kid":"1"}"#) }
        #expect(throws: JOSEError.self) { try set(member(#","alg":"ES256","kid":"1","kid":"2""#)) }
    }

    @Test("Key sets are bounded in bytes, in keys and in depth")
    func bounds() throws {
        let keys = (0..<65).map { member(#","alg":"ES256","kid":"\#($0)""#) }
        func parse(_ keys: some Collection<String>) throws -> JSONWebKeySet {
            try JSONWebKeySet(parsing: Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8))
        }
        #expect(try parse(keys.prefix(64)).keys.count == 64)
        #expect(throws: JOSEError.self) { try parse(keys) }
        #expect(throws: JOSEError.self) {
            try set(member(#","alg":"ES256","kid":"1","x":"\#(String(repeating: "A", count: 70_000))""#))
        }
        #expect(throws: JOSEError.self) { try set(member(#","alg":"ES256","kid":"1","a":[[[[[[[1]]]]]]]"#)) }
        for text in ["", "[]", "{}", #"{"keys":{}}"#, #"{"keys":[]}"#, #"{"keys":[]} x"#] {
            #expect(throws: JOSEError.self, "\(text)") { try JSONWebKeySet(parsing: Array(text.utf8)) }
        }
    }

    @Test("What is written is read back, and a kid is the thumbprint")
    func roundTrip() throws {
        let first = try SigningKey(PrivateKey.generate()), second = try SigningKey(PrivateKey.generate())
        let set = JSONWebKeySet([first.keyID: first.publicKey, second.keyID: second.publicKey])
        #expect(try JSONWebKeySet(parsing: set.bytes) == set)
        #expect(first.keyID == first.publicKey.thumbprint && first.keyID.utf8.count == 43)
    }
}
