import COpenSSL

/// AES Key Wrap (RFC 3394) with a 128- or 256-bit key: wraps keys of 16 bytes and more, a multiple of 8.
public enum AESKeyWrap {
    /// The wrapped key, 8 bytes longer than `content`.
    public static func wrap(_ content: [UInt8], key: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try run(content, key: key, wrapping: true, outputCount: content.count + 8)
    }

    /// The key that was wrapped.
    ///
    /// - Throws: ``CryptographyError/Code/authenticationFailed`` when the integrity check of RFC 3394 §2.2.3 fails.
    public static func unwrap(_ wrapped: [UInt8], key: [UInt8]) throws(CryptographyError) -> [UInt8] {
        guard wrapped.count >= 24 else {
            throw CryptographyError(.invalidLength, "a wrapped key has at least 24 bytes")
        }
        return try run(wrapped, key: key, wrapping: false, outputCount: wrapped.count - 8)
    }

    private static func run(
        _ input: [UInt8], key: [UInt8], wrapping: Bool, outputCount: Int
    ) throws(CryptographyError) -> [UInt8] {
        guard key.count == 16 || key.count == 32, input.count >= 16, input.count % 8 == 0,
            let inputCount = CInt(exactly: input.count)
        else {
            throw CryptographyError(.invalidLength, "AES Key Wrap takes keys of 16 or 32 bytes and whole blocks of 8")
        }
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        EVP_CIPHER_CTX_set_flags(context, CInt(EVP_CIPHER_CTX_FLAG_WRAP_ALLOW))
        let cipher = key.count == 16 ? EVP_aes_128_wrap() : EVP_aes_256_wrap()
        guard EVP_CipherInit_ex(context, cipher, nil, key, nil, wrapping ? 1 : 0) == 1 else {
            throw .openSSL(.operationFailed, "AES Key Wrap")
        }
        var written: CInt = 0
        var failed = false
        let output = [UInt8](unsafeUninitializedCapacity: input.count + 16) { output, count in
            failed = EVP_CipherUpdate(context, output.baseAddress, &written, input, inputCount) != 1
            count = failed ? 0 : Int(written)
        }
        guard !failed, output.count == outputCount else {
            ERR_clear_error()
            throw CryptographyError(
                .authenticationFailed, "the wrapped key was changed, or the wrapping key is another")
        }
        return output
    }
}
