import Cryptography
import Fixtures
import Testing

@Suite("Hashes")
struct HashTests {
    /// The digests of "abc" (FIPS 180-4 examples, NIST CSRC).
    @Test(
        "The digests of abc are those of FIPS 180-4",
        arguments: [
            (HashAlgorithm.insecureSHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                .sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
            ),
            (
                .sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                    + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ])
    func abc(algorithm: HashAlgorithm, digest: String) {
        #expect(algorithm.hash(Array("abc".utf8)).hex == digest)
        #expect(algorithm.hash(Array("xabcx".utf8)[1..<4]).hex == digest)
        #expect(algorithm.hash(Array("a".utf8), Array("b".utf8), Array("c".utf8)).hex == digest)
        #expect(digest.count == 2 * algorithm.byteCount)
        var incremental = IncrementalHash(algorithm)
        incremental.update(Array("ab".utf8))
        incremental.update(Array("c".utf8)[...])
        #expect(incremental.finalize().hex == digest)
    }

    @Test("The empty string has its digest too")
    func empty() {
        #expect(
            HashAlgorithm.sha256.hash([UInt8]()).hex
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("Extending a register hashes the register and then the digest", arguments: HashAlgorithm.allCases)
    func extend(algorithm: HashAlgorithm) {
        var register = [UInt8](repeating: 0, count: algorithm.byteCount)
        let digest = algorithm.hash([1])
        algorithm.extend(&register, with: digest)
        #expect(register == algorithm.hash([UInt8](repeating: 0, count: algorithm.byteCount), digest))
        let before = register
        algorithm.extend(&register, with: digest[...])
        #expect(register == algorithm.hash(before, digest))
    }

    /// RFC 4231 §4.2 and §4.3.
    @Test("HMAC-SHA-256 gives the values of RFC 4231, and an empty key is a key")
    func hmac() {
        let first = HMAC.authenticationCode(.sha256, key: [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8))
        #expect(first.hex == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        let parts = HMAC.authenticationCode(
            .sha256, key: Array("Jefe".utf8), Array("what do ya want ".utf8), Array("for nothing?".utf8))
        #expect(parts.hex == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        // HMAC with an empty key and an empty message, computed with Python's hmac module.
        #expect(
            HMAC.authenticationCode(.sha256, key: [], []).hex
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("Random bytes differ and have the length asked for")
    func random() {
        #expect(SecureRandom.bytes(32).count == 32)
        #expect(Set((0..<100).map { _ in SecureRandom.bytes(16) }).count == 100)
        #expect(SecureRandom.bytes(0).isEmpty)
    }

    @Test("Constant-time equality is equality")
    func equality() {
        #expect(constantTimeEqual([1, 2], [1, 2]) && constantTimeEqual([], []))
        #expect(!constantTimeEqual([1, 2], [1, 3]) && !constantTimeEqual([1], [1, 0]) && !constantTimeEqual([], [0]))
    }
}
