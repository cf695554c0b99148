internal import Cryptography
public import StrictEncoding

/// A public key with the one algorithm for which its issuer registered it (RFC 8725 §3.1): a token never chooses.
public struct VerificationKey: Sendable, Hashable {
    /// What tokens under this key must state as `alg`, byte for byte: ES256, RS256, EdDSA or Ed25519 (RFC 9864).
    public let algorithm: String
    public let material: Material

    /// The key itself.
    public enum Material: Sendable, Hashable {
        /// On P-256, for ES256.
        case p256(JSONWebKey)
        /// A modulus of 2048 to 8192 bits without leading zeros and an exponent, big-endian, for RS256.
        case rsa(modulus: [UInt8], publicExponent: UInt32)
        /// The 32 bytes of an Ed25519 key (RFC 8037), for EdDSA.
        case ed25519([UInt8])
    }

    /// A key for ES256.
    public init(_ key: JSONWebKey) {
        algorithm = "ES256"
        material = .p256(key)
    }

    /// Reads a JWK whose `alg`, `kty` and `crv` fit one another; `nil` when it is for an algorithm that is not used here.
    ///
    /// - Throws: ``JOSEError/invalidKey(_:)`` for a key that its algorithm cannot use.
    public init?(_ node: some JSONReadable) throws(JOSEError) {
        guard let algorithm = node["alg"]?.string, let type = node["kty"]?.string else { return nil }
        switch (algorithm, type, node["crv"]?.string) {
        case ("ES256", "EC", "P-256"): material = .p256(try JSONWebKey(node))
        case ("RS256", "RSA", _): material = try Self.rsa(node)
        case ("EdDSA", "OKP", "Ed25519"), ("Ed25519", "OKP", "Ed25519"):
            guard let point = Self.bytes(node["x"]), point.count == Ed25519PublicKey.byteCount else {
                throw .invalidKey("x is not 32 bytes in base64url without padding")
            }
            material = .ed25519(point)
        default: return nil
        }
        self.algorithm = algorithm
        _ = try imported()
    }

    /// RFC 7518 §6.3.1: integers without leading zeros.
    private static func rsa(_ node: some JSONReadable) throws(JOSEError) -> Material {
        guard let modulus = bytes(node["n"]), let exponent = bytes(node["e"]), modulus.first != 0, exponent.first != 0,
            (256...1024).contains(modulus.count), (1...4).contains(exponent.count)
        else { throw .invalidKey("n and e are not an RSA key of 2048 to 8192 bits in base64url without padding") }
        guard !ROCAFingerprint.matches(modulus) else {
            throw .invalidKey("the RSA key is of a kind whose factors can be computed (CVE-2017-15361)")
        }
        return .rsa(modulus: modulus, publicExponent: exponent.reduce(0) { $0 << 8 | UInt32($1) })
    }

    private static func bytes(_ node: (some JSONReadable)?) -> [UInt8]? {
        node?.withStringBytes { Base64URL.decode($0) } ?? nil
    }

    /// The key on P-256, if it is one.
    public var p256: JSONWebKey? {
        if case .p256(let key) = material { return key }
        return nil
    }

    /// The SHA-256 thumbprint (RFC 7638; RFC 8037 §2 for Ed25519), base64url: 43 characters.
    public var thumbprint: String {
        if case .p256(let key) = material { return key.thumbprint }
        // The required members alone, in the order of their names.
        let canonical = JSONWriter.object { writer in
            switch material {
            case .p256: break
            case .rsa(let modulus, let exponent):
                writer.base64URL("e", Self.bytes(of: exponent))
                writer.string("kty", "RSA")
                writer.base64URL("n", modulus)
            case .ed25519(let point):
                writer.string("crv", "Ed25519")
                writer.string("kty", "OKP")
                writer.base64URL("x", point)
            }
        }
        return Base64URL.encode(HashAlgorithm.sha256.hash(canonical))
    }

    /// Writes the public members and `alg` as members of the current object.
    public func writeMembers(to writer: inout JSONWriter) {
        switch material {
        case .p256(let key): key.writeMembers(to: &writer)
        case .rsa(let modulus, let exponent):
            writer.string("kty", "RSA")
            writer.base64URL("n", modulus)
            writer.base64URL("e", Self.bytes(of: exponent))
        case .ed25519(let point):
            writer.string("kty", "OKP")
            writer.string("crv", "Ed25519")
            writer.base64URL("x", point)
        }
        writer.string("alg", algorithm)
    }

    private static func bytes(of exponent: UInt32) -> [UInt8] {
        withUnsafeBytes(of: exponent.bigEndian) { Array($0.drop { $0 == 0 }) }
    }
}
