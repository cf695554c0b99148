public import Cryptography
public import StrictEncoding

/// The request for which a caller proves that it holds a key (RFC 9449).
public struct ProvenRequest: Sendable, Hashable {
    /// The HTTP method, as `POST`; case-sensitive.
    public let method: String
    /// The target URI without query and fragment.
    public let uri: String

    /// A request to `uri`; a query or a fragment is cut off.
    public init(method: String, uri: String) {
        self.method = method
        self.uri = String(uri.prefix { $0 != "?" && $0 != "#" })
    }
}

/// Makes DPoP proofs (RFC 9449 §4.2) with a key that may live in a TPM.
public struct PossessionProof: Sendable {
    /// The proof, in ASCII.
    public let token: [UInt8]
    /// The `apv` of a secret that is granted in answer to this proof (``SecretMessage/recipientInfo(passportHash:proofID:)``).
    public let recipientInfo: [UInt8]

    /// A proof for one request that shows one passport.
    ///
    /// - Parameters:
    ///   - key: The public key to which the passport is bound.
    ///   - nonce: The nonce that the server gave, if it gave one.
    ///   - sign: Signs a SHA-256 digest and returns r ‖ s, 64 bytes.
    public init(
        for request: ProvenRequest, showing passport: [UInt8], key: JSONWebKey, nonce: String? = nil, issuedAt: Int64,
        tokenID: String = Base64URL.encode(SecureRandom.bytes(16)), sign: (_ digest: [UInt8]) throws -> [UInt8]
    ) throws {
        let header = JSONWriter.object { writer in
            writer.string("typ", "dpop+jwt")
            writer.string("alg", "ES256")
            writer.object("jwk") { key.writeMembers(to: &$0) }
        }
        let passportHash = HashAlgorithm.sha256.hash(passport)
        let payload = JSONWriter.object { writer in
            writer.string("jti", tokenID)
            writer.string("htm", request.method)
            writer.string("htu", request.uri)
            writer.integer("iat", issuedAt)
            writer.base64URL("ath", passportHash)
            if let nonce { writer.string("nonce", nonce) }
        }
        var token: [UInt8] = []
        Base64URL.append(header, to: &token)
        token.append(UInt8(ascii: "."))
        Base64URL.append(payload, to: &token)
        let signature = try sign(HashAlgorithm.sha256.hash(token))
        token.append(UInt8(ascii: "."))
        Base64URL.append(signature, to: &token)
        self.token = token
        recipientInfo = SecretMessage.recipientInfo(passportHash: passportHash, proofID: tokenID)
    }
}
