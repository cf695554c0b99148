import Cryptography
import Testing

@Suite("Keys and signatures")
struct KeyTests {
    @Test("A signature verifies with its key, its message and its hash only", arguments: EllipticCurve.allCases)
    func ecdsa(curve: EllipticCurve) throws {
        let key = try PrivateKey.generate(curve), message = Array("message".utf8)
        let signature = try key.ecdsaSignature(over: message, .sha256)
        let width = curve.coordinateByteCount
        #expect(signature.count == 2 * width)
        let valid = { (k: PublicKey, s: [UInt8], m: [UInt8], h: HashAlgorithm) in
            k.isValidECDSASignature(fixedWidth: s, over: m, h)
        }
        #expect(valid(key.publicKey, signature, message, .sha256))
        #expect(
            key.publicKey.isValidECDSASignature(
                r: Array(signature.prefix(width)), s: Array(signature.suffix(width)), over: message, .sha256))
        #expect(!valid(try PrivateKey.generate(curve).publicKey, signature, message, .sha256))
        #expect(!valid(key.publicKey, signature, message + [0], .sha256))
        #expect(!valid(key.publicKey, signature, message, .sha384))
        #expect(!valid(key.publicKey, signature + [0], message, .sha256))
        #expect(!valid(key.publicKey, Array(signature.dropLast()), message, .sha256))
        #expect(!valid(key.publicKey, [], message, .sha256))
        #expect(!valid(key.publicKey, [UInt8](repeating: 0, count: 2 * width), message, .sha256))
        let zeroS = Array(signature.prefix(width)) + [UInt8](repeating: 0, count: width)
        #expect(!valid(key.publicKey, zeroS, message, .sha256))
        #expect(!valid(key.publicKey, [UInt8](repeating: 0xFF, count: 2 * width), message, .sha256))
        for bit in 0..<(signature.count * 8) {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!valid(key.publicKey, changed, message, .sha256))
        }
    }

    @Test("SHA-1 signatures never verify")
    func insecureHash() throws {
        let key = try PrivateKey.generate()
        let signature = try key.ecdsaSignature(over: [1], .insecureSHA1)
        #expect(
            !key.publicKey.isValidECDSASignature(fixedWidth: signature, over: [UInt8](arrayLiteral: 1), .insecureSHA1))
    }

    @Test("Keys survive their DER spellings, and nothing may follow them", arguments: EllipticCurve.allCases)
    func encodings(curve: EllipticCurve) throws {
        let key = try PrivateKey.generate(curve)
        let spki = try key.publicKey.subjectPublicKeyInfo
        #expect(try PublicKey(subjectPublicKeyInfo: spki) == key.publicKey)
        #expect(throws: CryptographyError(.invalidKey, "")) { try PublicKey(subjectPublicKeyInfo: spki + [0]) }
        #expect(throws: CryptographyError(.invalidKey, "")) { try PublicKey(subjectPublicKeyInfo: []) }
        let again = try PrivateKey(pkcs8: try key.pkcs8)
        #expect(again.publicKey == key.publicKey && again.curve == curve)
        #expect(throws: CryptographyError(.invalidKey, "")) { try PrivateKey(pkcs8: try key.pkcs8 + [0]) }
        let point = try #require(key.publicKey.point)
        #expect(try PublicKey(curve, x: point.x, y: point.y) == key.publicKey)
        #expect(key.publicKey.kind == .ellipticCurve(curve) && key.publicKey.rsaModulus == nil)
    }

    @Test("A point that is not on its curve is no key", arguments: EllipticCurve.allCases)
    func offCurve(curve: EllipticCurve) throws {
        var (x, y) = try #require(try PrivateKey.generate(curve).publicKey.point)
        y[y.count - 1] ^= 1
        #expect(throws: CryptographyError(.invalidKey, "")) { try PublicKey(curve, x: x, y: y) }
        x = [UInt8](repeating: 0, count: curve.coordinateByteCount)
        y = x
        #expect(throws: CryptographyError(.invalidKey, "")) { try PublicKey(curve, x: x, y: y) }
        #expect(throws: CryptographyError(.invalidKey, "")) { try PublicKey(curve, x: [0] + x, y: y) }
    }

    @Test("RSA keys of a silly size or exponent are no keys")
    func badRSA() {
        let invalid = CryptographyError(.invalidKey, "")
        let modulus = [UInt8](repeating: 0xC1, count: 256)
        #expect(throws: Never.self) { try PublicKey(rsaModulus: modulus, publicExponent: 65537) }
        #expect(throws: Never.self) { try PublicKey(rsaModulus: [0, 0] + modulus, publicExponent: 65537) }
        for exponent: UInt32 in [0, 1, 2, 65536] {
            #expect(throws: invalid) { try PublicKey(rsaModulus: modulus, publicExponent: exponent) }
        }
        #expect(throws: invalid) { try PublicKey(rsaModulus: [], publicExponent: 65537) }
        #expect(throws: invalid) { try PublicKey(rsaModulus: Array(modulus.prefix(127)), publicExponent: 65537) }
        #expect(throws: invalid) { try PublicKey(rsaModulus: modulus.dropLast() + [2], publicExponent: 65537) }
        #expect(throws: invalid) {
            try PublicKey(rsaModulus: [UInt8](repeating: 0xC1, count: 2049), publicExponent: 65537)
        }
    }

    @Test("Two parties derive one secret, and another curve derives none")
    func keyAgreement() throws {
        let one = try PrivateKey.generate(), other = try PrivateKey.generate()
        let secret = try one.sharedSecret(with: other.publicKey)
        #expect(secret.count == 32)
        #expect(try other.sharedSecret(with: one.publicKey) == secret)
        #expect(throws: CryptographyError(.invalidKey, "")) {
            try one.sharedSecret(with: try PrivateKey.generate(.p384).publicKey)
        }
    }
}
