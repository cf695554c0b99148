public import Cryptography
public import StrictEncoding

/// A public key on P-256 as a JSON Web Key (RFC 7517, RFC 7518 §6.2).
public struct JSONWebKey: Sendable, Hashable {
    /// The coordinates, big-endian, 32 bytes each.
    public let x: [UInt8]
    public let y: [UInt8]

    /// The key of a point that is on the curve.
    ///
    /// - Throws: ``JOSEError/invalidKey(_:)`` for a key that is not on P-256.
    public init(_ key: PublicKey) throws(JOSEError) {
        guard key.kind == .ellipticCurve(.p256), let point = key.point else {
            throw .invalidKey("the key is not on P-256")
        }
        x = point.x
        y = point.y
    }

    /// Reads a JWK: `kty` EC, `crv` P-256, coordinates of 32 bytes on the curve, and no private member.
    public init(_ node: JSONNode) throws(JOSEError) {
        guard node.isObject else { throw .invalidKey("a JWK is an object") }
        for name in ["d", "p", "q", "dp", "dq", "qi", "k", "oth", "priv"] where node[name] != nil {
            throw .invalidKey("the JWK has the private member \(name)")
        }
        guard node["kty"]?.string == "EC" else { throw .invalidKey("kty is not EC") }
        guard node["crv"]?.string == "P-256" else { throw .invalidKey("crv is not P-256") }
        guard let x = node["x"]?.string.flatMap({ Base64URL.decode($0) }), x.count == 32,
            let y = node["y"]?.string.flatMap({ Base64URL.decode($0) }), y.count == 32
        else { throw .invalidKey("x and y are not 32 bytes each in base64url without padding") }
        self.x = x
        self.y = y
        _ = try publicKey()
    }

    /// The key, its point checked.
    public func publicKey() throws(JOSEError) -> PublicKey {
        do {
            return try PublicKey(.p256, x: x, y: y)
        } catch {
            throw .invalidKey("the point is not on P-256")
        }
    }

    /// The SHA-256 thumbprint (RFC 7638), base64url: 43 characters.
    public var thumbprint: String {
        let canonical = JSONWriter.object { writer in
            writer.string("crv", "P-256")
            writer.string("kty", "EC")
            writer.base64URL("x", x)
            writer.base64URL("y", y)
        }
        return Base64URL.encode(HashAlgorithm.sha256.hash(canonical))
    }

    /// Writes kty, crv, x and y as members of the current object.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.string("kty", "EC")
        writer.string("crv", "P-256")
        writer.base64URL("x", x)
        writer.base64URL("y", y)
    }
}
