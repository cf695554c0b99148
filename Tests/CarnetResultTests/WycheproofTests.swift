import CarnetResult
import Cryptography
import Fixtures
import StrictEncoding
import Testing

/// Vectors of C2SP/wycheproof, read as published.
@Suite("Wycheproof", .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
struct WycheproofTests {
    private func groups(_ name: String) throws -> [JSONNode] {
        let document = try JSONDocument(
            parsing: SharedFixtures.bytes("fixtures/jose/wycheproof/" + name), maximumByteCount: 1 << 20)
        return try #require(document.root["testGroups"]?.elements)
    }

    @Test("Every P-256 signature in JOSE's form is judged as the vector says")
    func signatures() throws {
        var counts = (valid: 0, invalid: 0)
        for group in try groups("ecdsa_secp256r1_sha256_p1363_test.json") {
            let x = try #require(hexadecimal(group["publicKey"]?["wx"]))
            let y = try #require(hexadecimal(group["publicKey"]?["wy"]))
            let key = try JSONWebKey(PublicKey(.p256, x: significant(x), y: significant(y)))
            if let node = group["publicKeyJwk"] {
                #expect(try JSONWebKey(node) == key, "both spellings of the key are the same key")
            }
            for test in try #require(group["tests"]?.elements) {
                let message = try #require(hexadecimal(test["msg"])), signature = try #require(hexadecimal(test["sig"]))
                let isValid = try key.publicKey().isValidECDSASignature(
                    fixedWidth: signature, over: message, .sha256)
                let number = test["tcId"]?.integer ?? 0
                #expect(isValid == (test["result"]?.string == "valid"), "\(number) \(test["comment"]?.string ?? "")")
                if isValid { counts.valid += 1 } else { counts.invalid += 1 }
            }
        }
        #expect(counts.valid > 100 && counts.invalid > 50, "\(counts)")
    }

    /// The one set that is used holds a good RSA key. The valid ones of symmetric keys are not: no issuer of passports has such.
    @Test("Key sets that are mixed, ambiguous, private, weak or for another algorithm are not used")
    func keySets() throws {
        var refused = 0
        for group in try groups("json_web_key_test.json") {
            for half in ["public", "private"] {
                guard let keys = group[half]?["keys"]?.elements else { continue }
                let text = JSONWriter.object { writer in
                    writer.array("keys") { writer in for key in keys { write(key, to: &writer) } }
                }
                let tests = try #require(group["tests"]?.elements)
                if half == "public", tests.first?["tcId"]?.integer == 5 {
                    let set = try JSONWebKeySet(parsing: text)
                    let key = try #require(set.verificationKeys.values.first)
                    #expect(key.algorithm == "RS256" && set.verificationKeys.count == 1)
                    let jws = try CompactJWS(parsing: Array(#require(tests.first?["jws"]?.string).utf8))
                    #expect(jws.isSigned(by: try key.imported()))
                    continue
                }
                #expect(throws: JOSEError.self, "\(group["comment"]?.string ?? "") \(half)") {
                    try JSONWebKeySet(parsing: text)
                }
                refused += 1
            }
        }
        #expect(refused > 20)
    }

    @Test("Every Ed25519 signature is judged as the vector says")
    func edwards() throws {
        var counts = (valid: 0, invalid: 0)
        for group in try groups("ed25519_test.json") {
            let point = try #require(hexadecimal(group["publicKey"]?["pk"]))
            let key = try Ed25519PublicKey(rawRepresentation: point)
            for test in try #require(group["tests"]?.elements) {
                let message = try #require(hexadecimal(test["msg"])), signature = try #require(hexadecimal(test["sig"]))
                let isValid = key.isValidSignature(signature, over: message)
                let number = test["tcId"]?.integer ?? 0
                #expect(isValid == (test["result"]?.string == "valid"), "\(number) \(test["comment"]?.string ?? "")")
                if isValid { counts.valid += 1 } else { counts.invalid += 1 }
            }
        }
        #expect(counts.valid == 88 && counts.invalid == 63, "\(counts)")
    }

    /// Signatures in DER have a second spelling in JOSE's fixed width only where they are strict; libcrypto reads the DER ones.
    @Test("Every P-256 signature in DER is judged as the vector says, by the digest")
    func der() throws {
        var counts = (valid: 0, invalid: 0)
        for group in try groups("ecdsa_secp256r1_sha256_test.json") {
            let x = try #require(hexadecimal(group["publicKey"]?["wx"]))
            let y = try #require(hexadecimal(group["publicKey"]?["wy"]))
            let key = try PublicKey(.p256, x: significant(x), y: significant(y))
            for test in try #require(group["tests"]?.elements) {
                let message = try #require(hexadecimal(test["msg"])), signature = try #require(hexadecimal(test["sig"]))
                let isValid = key.isValidSignature(signature, ofDigest: HashAlgorithm.sha256.hash(message), .sha256)
                let number = test["tcId"]?.integer ?? 0
                #expect(isValid == (test["result"]?.string == "valid"), "\(number) \(test["comment"]?.string ?? "")")
                if isValid { counts.valid += 1 } else { counts.invalid += 1 }
            }
        }
        #expect(counts.valid > 100 && counts.invalid > 200, "\(counts)")
    }

    private func write(_ key: JSONNode, to writer: inout JSONWriter) {
        writer.object { writer in
            for (name, value) in key.members ?? [] { writer.string(named: name, value.string ?? "") }
        }
    }

    private func hexadecimal(_ node: JSONNode?) -> [UInt8]? { node?.string.flatMap { Hexadecimal.decode($0) } }

    private func significant(_ number: [UInt8]) -> [UInt8] { Array(number.drop { $0 == 0 }) }
}
