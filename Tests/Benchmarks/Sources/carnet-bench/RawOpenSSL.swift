import COpenSSL
import CarnetResult
import Cryptography

/// The bare library call, as cheap as it can be made: key imported once, context reused.
final class RawOpenSSL {
    private let key: OpaquePointer
    private let context = EVP_MD_CTX_new()
    private let message: [UInt8]
    private var signature = [UInt8](repeating: 0, count: 80)
    private var signatureCount = 80

    init(_ privateKey: PrivateKey, message: [UInt8]) throws {
        let der = try privateKey.pkcs8
        let parsed = der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var cursor = buffer.baseAddress
            return d2i_AutoPrivateKey(nil, &cursor, buffer.count)
        }
        guard let parsed else { throw JOSEError.invalidKey("the key cannot be read") }
        key = parsed
        self.message = message
        guard sign() else { throw JOSEError.operationFailed("EVP_DigestSign") }
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_PKEY_free(key)
    }

    func verify() -> Bool {
        EVP_MD_CTX_reset(context)
        return EVP_DigestVerifyInit_ex(context, nil, "SHA256", nil, nil, key, nil) == 1
            && EVP_DigestVerify(context, signature, signatureCount, message, message.count) == 1
    }

    @discardableResult
    func sign() -> Bool {
        EVP_MD_CTX_reset(context)
        signatureCount = signature.count
        return EVP_DigestSignInit_ex(context, nil, "SHA256", nil, nil, key, nil) == 1
            && EVP_DigestSign(context, &signature, &signatureCount, message, message.count) == 1
    }
}
