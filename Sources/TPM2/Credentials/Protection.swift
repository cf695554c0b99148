internal import Cryptography

/// The outer wrapping of credentials and of objects that move: encrypt, then authenticate, with keys derived from a seed (Part 1 §23.3, §24.4).
struct Protection {
    private let hash: HashAlgorithm
    private let name: TPM.Name
    private let symmetricKey: [UInt8]
    private let integrityKey: [UInt8]

    /// - Parameter parent: The key that knows the seed; its algorithms are those of the wrapping.
    init(seed: [UInt8], name: TPM.Name, parent: TPM.Public) throws(CryptographyError) {
        guard case .aesCFB(let bits) = parent.symmetric, bits != 192 else {
            throw CryptographyError(.invalidKey, "a key that is no storage key with AES can protect nothing")
        }
        hash = parent.nameAlgorithm
        self.name = name
        symmetricKey = KeyDerivation.a(hash, key: seed, label: "STORAGE", name.bytes, [], bits: UInt32(bits))
        integrityKey = KeyDerivation.a(hash, key: seed, label: "INTEGRITY", [], [], bits: UInt32(hash.byteCount * 8))
    }

    func encrypt(_ plaintext: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try AESCFB.encrypt(plaintext, key: symmetricKey, iv: [UInt8](repeating: 0, count: 16))
    }

    func authenticationCode(_ ciphertext: [UInt8]) -> [UInt8] {
        HMAC.authenticationCode(hash, key: integrityKey, ciphertext, name.bytes)
    }
}
