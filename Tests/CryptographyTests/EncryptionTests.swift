import Cryptography
import Fixtures
import Testing

@Suite("Encryption")
struct EncryptionTests {
    /// NIST SP 800-38D, test case 16 of the GCM submission: AES-256 with associated data.
    @Test("AES-256-GCM gives the published ciphertext and tag")
    func gcmVector() throws {
        let key = [UInt8](hex: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
        let plaintext = [UInt8](
            hex: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
                + "b16aedf5aa0de657ba637b39")
        let data = [UInt8](hex: "feedfacedeadbeeffeedfacedeadbeefabaddad2")
        let sealed = try AESGCM.seal(
            plaintext, key: key, nonce: [UInt8](hex: "cafebabefacedbaddecaf888"), authenticating: data)
        #expect(sealed.tag.hex == "76fc6ece0f4e1768cddf8853bb2d551b")
        #expect(sealed.ciphertext.hex.hasPrefix("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"))
    }

    @Test("AES-GCM opens what it sealed and nothing that was changed", arguments: [16, 32])
    func gcmRoundTrip(keySize: Int) throws {
        let key = SecureRandom.bytes(keySize), nonce = SecureRandom.bytes(12), data = Array("header".utf8)
        for plaintext in [[], [7], SecureRandom.bytes(100)] {
            let sealed = try AESGCM.seal(plaintext, key: key, nonce: nonce, authenticating: data)
            func open(_ text: [UInt8], _ tag: [UInt8], _ key: [UInt8], _ data: [UInt8]) throws -> [UInt8] {
                try AESGCM.open(text, tag: tag, key: key, nonce: nonce, authenticating: data)
            }
            #expect(try open(sealed.ciphertext, sealed.tag, key, data) == plaintext)
            let refused = CryptographyError(.authenticationFailed, "")
            #expect(throws: refused) { try open(sealed.ciphertext, sealed.tag.flippingFirstBit, key, data) }
            #expect(throws: refused) { try open(sealed.ciphertext, sealed.tag, key.flippingFirstBit, data) }
            #expect(throws: refused) { try open(sealed.ciphertext, sealed.tag, key, data.flippingFirstBit) }
            #expect(throws: refused) { try open(sealed.ciphertext + [0], sealed.tag, key, data) }
            if !plaintext.isEmpty {
                #expect(throws: refused) { try open(sealed.ciphertext.flippingFirstBit, sealed.tag, key, data) }
            }
        }
    }

    @Test("Keys, nonces and tags of another length are refused")
    func gcmLengths() {
        let invalid = CryptographyError(.invalidLength, "")
        let key = [UInt8](repeating: 0, count: 32), nonce = [UInt8](repeating: 0, count: 12)
        #expect(throws: invalid) { try AESGCM.seal([], key: Array(key.dropLast()), nonce: nonce, authenticating: []) }
        #expect(throws: invalid) { try AESGCM.seal([], key: key, nonce: nonce + [0], authenticating: []) }
        #expect(throws: invalid) { try AESGCM.open([], tag: nonce, key: key, nonce: nonce, authenticating: []) }
    }

    /// RFC 3394 §4.6.
    @Test("AES-256 key wrap gives the vector of RFC 3394 and unwraps only what it wrapped")
    func keyWrap() throws {
        let kek = [UInt8](hex: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
        let content = [UInt8](hex: "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")
        let wrapped = try AESKeyWrap.wrap(content, key: kek)
        #expect(wrapped.hex == "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21")
        #expect(try AESKeyWrap.unwrap(wrapped, key: kek) == content)
        let refused = CryptographyError(.authenticationFailed, "")
        #expect(throws: refused) { try AESKeyWrap.unwrap(wrapped.flippingFirstBit, key: kek) }
        #expect(throws: refused) { try AESKeyWrap.unwrap(wrapped, key: kek.flippingFirstBit) }
        #expect(throws: CryptographyError(.invalidLength, "")) {
            try AESKeyWrap.unwrap(Array(wrapped.prefix(16)), key: kek)
        }
        #expect(throws: CryptographyError(.invalidLength, "")) { try AESKeyWrap.wrap([1, 2, 3], key: kek) }
    }

    /// NIST SP 800-38A §F.3.13, first two blocks.
    @Test("AES-128-CFB gives the vector of SP 800-38A, for whole and broken blocks")
    func cfb() throws {
        let key = [UInt8](hex: "2b7e151628aed2a6abf7158809cf4f3c"), iv = Array(UInt8(0)..<16)
        let plaintext = [UInt8](hex: "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
        let expected = "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"
        for count in 1...32 {
            let ciphertext = try AESCFB.encrypt(Array(plaintext.prefix(count)), key: key, iv: iv)
            #expect(ciphertext.hex == expected.prefix(2 * count))
            #expect(try AESCFB.decrypt(ciphertext, key: key, iv: iv) == Array(plaintext.prefix(count)))
        }
    }
}

extension [UInt8] {
    var flippingFirstBit: [UInt8] {
        var copy = self
        if !copy.isEmpty { copy[0] ^= 1 }
        return copy
    }
}
