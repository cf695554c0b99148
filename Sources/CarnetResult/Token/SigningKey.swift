public import Cryptography
internal import StrictEncoding

/// A verifier's key for signing results: ES256, its `kid` the thumbprint of its public half.
public struct SigningKey: Sendable {
    public let key: PrivateKey
    public let publicKey: JSONWebKey
    /// RFC 7638 thumbprint, base64url.
    public let keyID: String
    private let headerSegment: [UInt8]

    /// A key on P-256.
    ///
    /// - Throws: ``JOSEError/invalidKey(_:)`` for another curve.
    public init(_ key: PrivateKey) throws(JOSEError) {
        self.key = key
        publicKey = try JSONWebKey(key.publicKey)
        keyID = publicKey.thumbprint
        let keyID = keyID
        let header = JSONWriter.object { writer in
            writer.string("alg", "ES256")
            writer.string("typ", "eat+jwt")
            writer.string("kid", keyID)
        }
        var segment: [UInt8] = []
        Base64URL.append(header, to: &segment)
        headerSegment = segment
    }

    /// The signed token of a result, in ASCII.
    public func mint(_ result: AttestationResult) throws(JOSEError) -> [UInt8] {
        try sign(payload: result.claimsSet)
    }

    /// A signed token with this payload and the header of a result.
    func sign(payload: [UInt8]) throws(JOSEError) -> [UInt8] {
        var token = headerSegment
        token.reserveCapacity(headerSegment.count + payload.count * 4 / 3 + 96)
        token.append(UInt8(ascii: "."))
        Base64URL.append(payload, to: &token)
        do {
            let signature = try key.ecdsaSignature(over: token, .sha256)
            token.append(UInt8(ascii: "."))
            Base64URL.append(signature, to: &token)
        } catch {
            throw .operationFailed("the token could not be signed: \(error)")
        }
        return token
    }
}
