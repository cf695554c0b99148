import COpenSSL

/// RSAES-OAEP (RFC 8017 §7.1) with one hash for the label and for MGF1.
public enum RSAOAEP {
    /// Encrypts `plaintext` to `key`; `label` is hashed as it is given, terminating zero included where one is meant.
    public static func encrypt(
        _ plaintext: [UInt8], to key: PublicKey, _ hash: HashAlgorithm, label: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        guard case .rsa(let bits) = key.kind else { throw CryptographyError(.invalidKey, "RSA-OAEP takes an RSA key") }
        let context = EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil)
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_encrypt_init(context) == 1,
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1,
            EVP_PKEY_CTX_set_rsa_oaep_md(context, hash.evp) == 1,
            EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash.evp) == 1,
            setLabel(label, in: context)
        else { throw .openSSL(.operationFailed, "RSA-OAEP") }
        var count = (bits + 7) / 8
        var failed = false
        let output = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
            failed = EVP_PKEY_encrypt(context, output.baseAddress, &count, plaintext, plaintext.count) != 1
            initialized = failed ? 0 : count
        }
        guard !failed else { throw .openSSL(.operationFailed, "RSA-OAEP") }
        return output
    }

    /// libcrypto takes ownership of the label it is given, so it gets a copy of its own.
    private static func setLabel(_ label: [UInt8], in context: OpaquePointer?) -> Bool {
        guard !label.isEmpty else { return true }
        guard let copy = CRYPTO_malloc(label.count, #fileID, #line) else { return false }
        copy.copyMemory(from: label, byteCount: label.count)
        if EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, CInt(clamping: label.count)) == 1 { return true }
        CRYPTO_free(copy, #fileID, #line)
        return false
    }
}
