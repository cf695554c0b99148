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

    /// None of these sets is one that Carnet would publish; those without any ES256 key, with a wrong one, with symmetric or with private
    /// keys are not used at all.
    @Test("Key sets that are mixed, ambiguous, private or for another algorithm are not used")
    func keySets() throws {
        var refused = 0
        for group in try groups("json_web_key_test.json") {
            for half in ["public", "private"] {
                guard let keys = group[half]?["keys"]?.elements else { continue }
                let text = JSONWriter.object { writer in
                    writer.array("keys") { writer in for key in keys { write(key, to: &writer) } }
                }
                #expect(throws: JOSEError.self, "\(group["comment"]?.string ?? "") \(half)") {
                    try JSONWebKeySet(parsing: text)
                }
                refused += 1
            }
        }
        #expect(refused > 20)
    }

    private func write(_ key: JSONNode, to writer: inout JSONWriter) {
        writer.object { writer in
            for (name, value) in key.members ?? [] { writer.string(named: name, value.string ?? "") }
        }
    }

    private func hexadecimal(_ node: JSONNode?) -> [UInt8]? { node?.string.flatMap { Hexadecimal.decode($0) } }

    private func significant(_ number: [UInt8]) -> [UInt8] { Array(number.drop { $0 == 0 }) }
}
