import COpenSSL

/// AES in full-block Cipher Feedback mode (NIST SP 800-38A), as TPM 2.0 credential blobs use it.
///
/// It hides but does not protect: check an HMAC over the ciphertext first.
public enum AESCFB {
    /// Encrypts with a key of 16 or 32 bytes and an initialisation vector of 16.
    public static func encrypt(_ plaintext: [UInt8], key: [UInt8], iv: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try run(plaintext, key: key, iv: iv, encrypting: true)
    }

    /// Decrypts; any ciphertext decrypts to something.
    public static func decrypt(_ ciphertext: [UInt8], key: [UInt8], iv: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try run(ciphertext, key: key, iv: iv, encrypting: false)
    }

    private static func run(
        _ input: [UInt8], key: [UInt8], iv: [UInt8], encrypting: Bool
    ) throws(CryptographyError) -> [UInt8] {
        guard key.count == 16 || key.count == 32, iv.count == 16, let inputCount = CInt(exactly: input.count) else {
            throw CryptographyError(.invalidLength, "AES-CFB takes a key of 16 or 32 bytes and a vector of 16")
        }
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        let cipher = key.count == 16 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128()
        var written: CInt = 0
        var failed = EVP_CipherInit_ex(context, cipher, nil, key, iv, encrypting ? 1 : 0) != 1
        let output = [UInt8](unsafeUninitializedCapacity: input.count + 16) { output, count in
            failed = failed || EVP_CipherUpdate(context, output.baseAddress, &written, input, inputCount) != 1
            count = failed ? 0 : Int(written)
        }
        guard !failed else { throw .openSSL(.operationFailed, "AES-CFB") }
        return output
    }
}
