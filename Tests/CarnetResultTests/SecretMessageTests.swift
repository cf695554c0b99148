import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

@testable import CarnetResult

@Suite("Encrypted secrets")
struct SecretMessageTests {
    private func agree(_ key: PrivateKey) -> (JSONWebKey) throws -> [UInt8] {
        { try key.sharedSecret(with: $0.publicKey()) }
    }

    /// RFC 7518 Appendix C: direct key agreement for A128GCM, Alice and Bob as apu and apv.
    @Test("The key derivation gives the vector of RFC 7518")
    func derivation() {
        let shared: [UInt8] = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163, 218, 128, 106,
            72, 246,
            218, 167, 121, 140, 254, 144, 196,
        ]
        let key = SecretMessage.deriveKey(
            shared, algorithm: "A128GCM", producerInfo: Array("Alice".utf8), recipientInfo: Array("Bob".utf8), bits: 128
        )
        #expect(Base64URL.encode(key) == "VqqN6vgjbSBcIijNcacQGg")
    }

    @Test("Only the recipient opens a message, and only for what it was sealed for")
    func roundTrip() throws {
        let key = try PrivateKey.generate(), other = try PrivateKey.generate()
        let recipient = try JSONWebKey(key.publicKey)
        for secret in [[], [1], SecureRandom.bytes(65_536)] {
            let message = try SecretMessage.seal(secret, to: recipient, recipientInfo: [1, 2])
            #expect(try SecretMessage.open(message, recipientInfo: [1, 2], agree: agree(key)) == secret)
            #expect(throws: JOSEError.self) { try SecretMessage.open(message, agree: agree(other)) }
            #expect(throws: JOSEError.self) {
                try SecretMessage.open(message, recipientInfo: [1, 3], agree: agree(key))
            }
        }
        #expect(throws: JOSEError.self) {
            try SecretMessage.seal(SecureRandom.bytes(65_537), to: recipient, recipientInfo: [])
        }
    }

    @Test("No flipped bit, truncation or extra part opens")
    func spoiled() throws {
        let key = try PrivateKey.generate()
        let message = try SecretMessage.seal([1, 2, 3], to: JSONWebKey(key.publicKey), recipientInfo: [9])
        for bit in 0..<(message.count * 8) {
            var changed = message
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: JOSEError.self, "bit \(bit)") { try SecretMessage.open(changed, agree: agree(key)) }
        }
        for count in stride(from: 0, to: message.count, by: 3) {
            #expect(throws: JOSEError.self) { try SecretMessage.open(Array(message.prefix(count)), agree: agree(key)) }
        }
        #expect(throws: JOSEError.self) { try SecretMessage.open(message + [UInt8(ascii: ".")], agree: agree(key)) }
    }

    @Test(
        "Headers with another algorithm, a compression, an extension or a bad ephemeral key are refused",
        arguments: [
            (#""alg":"ECDH-ES+A256KW""#, #""alg":"RSA1_5""#), (#""enc":"A256GCM""#, #""enc":"A128CBC-HS256""#),
            (#""alg""#, #""zip":"DEF","alg""#), (#""alg""#, #""crit":["x"],"alg""#), (#""kty":"EC""#, #""kty":"OKP""#),
            (#""crv":"P-256""#, #""crv":"P-384""#), (#""epk""#, #""epq""#), (#""x":""#, #""x":"AA"#),
        ])
    func headers(target: String, replacement: String) throws {
        let key = try PrivateKey.generate()
        let message = try SecretMessage.seal([1], to: JSONWebKey(key.publicKey), recipientInfo: [])
        var parts = message.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
        let header = String(decoding: try #require(Base64URL.decode(parts[0][...])), as: UTF8.self)
        let spoiled = header.replacing(target, with: replacement)
        #expect(spoiled != header)
        parts[0] = Array(Base64URL.encode(Array(spoiled.utf8)).utf8)
        let error = #expect(throws: JOSEError.self) {
            try SecretMessage.open(Array(parts.joined(separator: [UInt8(ascii: ".")])), agree: agree(key))
        }
        // The header is authenticated as well; it must be refused before that is found out.
        switch error {
        case .invalidMessage, .invalidKey: break
        default: Issue.record("refused for another reason: \(error.map(\.description) ?? "none")")
        }
    }
}
