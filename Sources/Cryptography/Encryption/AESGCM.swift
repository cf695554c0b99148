import COpenSSL

/// AES in Galois/Counter Mode (NIST SP 800-38D): 128 or 256 bits by the key's length, 12-byte nonce, 16-byte tag.
public enum AESGCM {
    /// Encrypts `plaintext` and authenticates it with `associatedData`. A nonce must never be used twice under one key.
    public static func seal(
        _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], authenticating associatedData: [UInt8]
    ) throws(CryptographyError) -> (ciphertext: [UInt8], tag: [UInt8]) {
        let context = try begin(key: key, nonce: nonce, encrypting: true)
        defer { EVP_CIPHER_CTX_free(context) }
        let ciphertext = try run(context, plaintext, authenticating: associatedData)
        var tag = [UInt8](repeating: 0, count: 16)
        var written: CInt = 0
        var end: [UInt8] = [0]
        guard EVP_CipherFinal_ex(context, &end, &written) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag) == 1
        else { throw .openSSL(.operationFailed, "AES-GCM") }
        return (ciphertext, tag)
    }

    /// Decrypts `ciphertext` if `tag` vouches for it and for `associatedData`.
    ///
    /// - Throws: ``CryptographyError/Code/authenticationFailed`` when it does not; nothing is returned then.
    public static func open(
        _ ciphertext: [UInt8], tag: [UInt8], key: [UInt8], nonce: [UInt8], authenticating associatedData: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        guard tag.count == 16 else { throw CryptographyError(.invalidLength, "an AES-GCM tag has 16 bytes") }
        let context = try begin(key: key, nonce: nonce, encrypting: false)
        defer { EVP_CIPHER_CTX_free(context) }
        let plaintext = try run(context, ciphertext, authenticating: associatedData)
        var tag = tag
        var written: CInt = 0
        var end: [UInt8] = [0]
        guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, &tag) == 1,
            EVP_CipherFinal_ex(context, &end, &written) == 1
        else {
            ERR_clear_error()
            throw CryptographyError(
                .authenticationFailed, "the ciphertext or its tag was changed, or the key is another")
        }
        return plaintext
    }

    private static func begin(
        key: [UInt8], nonce: [UInt8], encrypting: Bool
    ) throws(CryptographyError) -> OpaquePointer? {
        guard key.count == 16 || key.count == 32, nonce.count == 12 else {
            throw CryptographyError(.invalidLength, "AES-GCM takes a key of 16 or 32 bytes and a nonce of 12")
        }
        let context = EVP_CIPHER_CTX_new()
        let cipher = key.count == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm()
        guard EVP_CipherInit_ex(context, cipher, nil, key, nonce, encrypting ? 1 : 0) == 1 else {
            EVP_CIPHER_CTX_free(context)
            throw .openSSL(.operationFailed, "AES-GCM")
        }
        return context
    }

    private static func run(
        _ context: OpaquePointer?, _ input: [UInt8], authenticating associatedData: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        guard let inputCount = CInt(exactly: input.count), let dataCount = CInt(exactly: associatedData.count) else {
            throw CryptographyError(.invalidLength, "AES-GCM input of \(input.count) bytes is too long")
        }
        var written: CInt = 0
        var failed = dataCount > 0 && EVP_CipherUpdate(context, nil, &written, associatedData, dataCount) != 1
        let output = [UInt8](unsafeUninitializedCapacity: input.count + 1) { output, count in
            if !failed && inputCount > 0 {
                failed = EVP_CipherUpdate(context, output.baseAddress, &written, input, inputCount) != 1
            }
            count = failed ? 0 : input.count
        }
        if failed { throw .openSSL(.operationFailed, "AES-GCM") }
        return output
    }
}
