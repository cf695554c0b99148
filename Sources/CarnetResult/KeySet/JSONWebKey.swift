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
    public init(_ node: some JSONReadable) throws(JOSEError) {
        try self.init(uncheckedPoint: node)
        _ = try publicKey()
    }

    /// Reads a JWK as ``init(_:)`` does, except that nobody has looked yet whether the point lies on the curve.
    ///
    /// That look costs a third of a signature check. ``publicKey()``, without which no key can be used, takes it.
    package init(uncheckedPoint node: some JSONReadable) throws(JOSEError) {
        guard node.isObject else { throw .invalidKey("a JWK is an object") }
        // A key of four members that has kty, crv, x and y has no other.
        if node.count > 4, let name = Self.privateMembers.first(where: { node[$0] != nil }) {
            throw .invalidKey("the JWK has the private member \(name)")
        }
        guard node["kty"]?.isString(equalTo: "EC") == true else { throw .invalidKey("kty is not EC") }
        guard node["crv"]?.isString(equalTo: "P-256") == true else { throw .invalidKey("crv is not P-256") }
        guard let x = Self.coordinate(node["x"]), let y = Self.coordinate(node["y"]) else {
            throw .invalidKey("x and y are not 32 bytes each in base64url without padding")
        }
        self.x = x
        self.y = y
    }

    /// Coordinates of 32 bytes each, of which nobody has looked yet whether they are those of a point on the curve.
    init(uncheckedX x: [UInt8], y: [UInt8]) {
        self.x = x
        self.y = y
    }

    /// The members that hold private or secret key material, of any key type (RFC 7518 §6, RFC 9964).
    static let privateMembers = ["d", "p", "q", "dp", "dq", "qi", "k", "oth", "priv"]

    private static func coordinate(_ node: (some JSONReadable)?) -> [UInt8]? {
        guard let bytes = node?.withStringBytes({ Base64URL.decode($0) }) ?? nil, bytes.count == 32 else { return nil }
        return bytes
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
