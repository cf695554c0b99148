import Cryptography
import Testing

@Suite("Chains of digests, and signatures over digests")
struct HashChainTests {
    @Test("A chain holds what single extensions give", arguments: HashAlgorithm.allCases)
    func chain(hash: HashAlgorithm) throws {
        var value = [UInt8](repeating: 0, count: hash.byteCount)
        var chain = HashChain(hash)
        let isZero = chain.holds(value)
        #expect(isZero)
        for length in [0, 1, 20, 300] {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: length), count: length)
            hash.extend(&value, with: hash.hash(bytes))
            bytes.withUnsafeBytes { chain.extend(withDigestOf: $0) }
            let isSame = chain.value == value && chain.holds(value)
            #expect(isSame)
            // A shorter digest is padded, and leaves nothing of the one before; a longer one is cut.
            hash.extend(
                &value, with: Array(([1, 2, 3] + [UInt8](repeating: 0, count: hash.byteCount)).prefix(hash.byteCount)))
            ([1, 2, 3] as [UInt8]).withUnsafeBytes { chain.extend(with: UnsafeRawBufferPointer($0)) }
        }
        let holdsLess = chain.holds([]) || chain.holds(Array(chain.value.dropLast()))
        #expect(!holdsLess)
    }

    @Test("A chain starts from a value as long as a digest, and from no other")
    func start() {
        let value = [UInt8](repeating: 7, count: 32)
        var held: [UInt8]?
        if let chain = HashChain(.sha256, startingAt: value) { held = chain.value }
        #expect(held == value)
        var isRefused = true
        if HashChain(.sha384, startingAt: value) != nil { isRefused = false }
        #expect(isRefused)
    }

    @Test("A signature over a digest needs the digest's length, the key and the hash")
    func digests() throws {
        let key = try PrivateKey.generate(), message: [UInt8] = [1, 2, 3]
        let digest = HashAlgorithm.sha256.hash(message)
        let fixed = try key.ecdsaSignature(ofDigest: digest)
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            let number = Array(bytes.drop { $0 == 0 })
            let padded = (number.first ?? 0x80) >= 0x80 ? [0] + number : number
            return [2, UInt8(padded.count)] + padded
        }
        let body = integer(fixed.prefix(32)) + integer(fixed.suffix(32))
        let signature = [0x30, UInt8(body.count)] + body
        #expect(key.publicKey.isValidSignature(signature, ofDigest: digest, .sha256))
        #expect(try !PrivateKey.generate().publicKey.isValidSignature(signature, ofDigest: digest, .sha256))
        #expect(!key.publicKey.isValidSignature(signature, ofDigest: digest, .sha384))
        #expect(!key.publicKey.isValidSignature(signature, ofDigest: Array(digest.dropLast()), .sha256))
        #expect(!key.publicKey.isValidSignature(signature, ofDigest: Array(digest.prefix(20)), .insecureSHA1))
        #expect(!key.publicKey.isValidSignature(fixed, ofDigest: digest, .sha256))
        #expect(!key.publicKey.isValidSignature([], ofDigest: digest, .sha256))
        #expect(!key.publicKey.isValidSignature(signature + [0], ofDigest: digest, .sha256))
    }
}
