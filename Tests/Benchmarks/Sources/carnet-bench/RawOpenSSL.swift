import COpenSSL
import CarnetResult
import Cryptography
import StrictEncoding

/// The bare library call, as cheap as it can be made: key imported once, context reused.
final class RawOpenSSL {
    private let key: OpaquePointer
    private let context = EVP_MD_CTX_new()
    private var message: [UInt8]
    /// The hash by name; `nil` for Ed25519, which hashes by itself.
    private let hash: String?
    private var signature = [UInt8](repeating: 0, count: 512)
    private var signatureCount = 512

    init(_ privateKey: PrivateKey, message: [UInt8]) throws {
        let der = try privateKey.pkcs8
        let parsed = der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var cursor = buffer.baseAddress
            return d2i_AutoPrivateKey(nil, &cursor, buffer.count)
        }
        guard let parsed else { throw JOSEError.invalidKey("the key cannot be read") }
        key = parsed
        self.message = message
        hash = "SHA256"
        guard sign() else { throw JOSEError.operationFailed("EVP_DigestSign") }
    }

    /// Kinds of keys that Carnet checks and does not sign with.
    enum Kind {
        case rsa2048, ed25519
    }

    /// A fresh key of another kind.
    init(_ kind: Kind) throws {
        let made: OpaquePointer? =
            switch kind {
            case .rsa2048: Self.generate("RSA")
            case .ed25519: Self.generate("ED25519")
            }
        guard let made else { throw JOSEError.invalidKey("the key cannot be made") }
        key = made
        message = []
        hash = kind == .rsa2048 ? "SHA256" : nil
    }

    /// RSA keys have 2048 bits unless told otherwise.
    private static func generate(_ type: String) -> OpaquePointer? {
        let context = EVP_PKEY_CTX_new_from_name(nil, type, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        return EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_generate(context, &key) == 1 ? key : nil
    }

    /// The signature over other bytes, which are checked from then on.
    func sign(_ message: [UInt8]) throws -> [UInt8] {
        self.message = message
        guard sign() else { throw JOSEError.operationFailed("EVP_DigestSign") }
        return Array(signature.prefix(signatureCount))
    }

    /// The public half, as an issuer would register it.
    func verificationKey() throws -> VerificationKey {
        var raw = [UInt8](repeating: 0, count: 32), count = 32
        let members: String
        if hash == nil {
            guard EVP_PKEY_get_raw_public_key(key, &raw, &count) == 1 else {
                throw JOSEError.invalidKey("the public half cannot be read")
            }
            members = #""kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"\#(Base64URL.encode(raw))""#
        } else {
            var output: UnsafeMutablePointer<UInt8>?
            let length = i2d_PUBKEY(key, &output)
            defer { CRYPTO_free(output, #file, #line) }
            let der = Array(UnsafeBufferPointer(start: output, count: Int(max(length, 0))))
            let modulus = try PublicKey(subjectPublicKeyInfo: der).rsaModulus ?? []
            members = #""kty":"RSA","alg":"RS256","e":"AQAB","n":"\#(Base64URL.encode(modulus))""#
        }
        let set = try JSONWebKeySet(parsing: Array(#"{"keys":[{"kid":"a",\#(members)}]}"#.utf8))
        guard let key = set.verificationKeys["a"] else { throw JOSEError.invalidKey("\(set.ignored)") }
        return key
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_PKEY_free(key)
    }

    func verify() -> Bool {
        EVP_MD_CTX_reset(context)
        return EVP_DigestVerifyInit_ex(context, nil, hash, nil, nil, key, nil) == 1
            && EVP_DigestVerify(context, signature, signatureCount, message, message.count) == 1
    }

    @discardableResult
    func sign() -> Bool {
        EVP_MD_CTX_reset(context)
        signatureCount = signature.count
        return EVP_DigestSignInit_ex(context, nil, hash, nil, nil, key, nil) == 1
            && EVP_DigestSign(context, &signature, &signatureCount, message, message.count) == 1
    }
}
