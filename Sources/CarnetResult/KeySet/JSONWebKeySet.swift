internal import StrictEncoding

/// The keys with which an issuer signs (RFC 7517 §5): each for one algorithm, found by its `kid`.
public struct JSONWebKeySet: Sendable, Hashable {
    /// The keys by `kid`, each with its algorithm: ES256, RS256, EdDSA or Ed25519.
    public let verificationKeys: [String: VerificationKey]
    /// The keys for ES256 by `kid`.
    public var keys: [String: JSONWebKey] { verificationKeys.compactMapValues(\.p256) }
    /// Why keys of the set were left out: other types and algorithms, which RFC 7517 says to ignore.
    public let ignored: [String]

    /// The longest set that is read, in bytes.
    public static let maximumByteCount = 65_536

    /// A set of ES256 keys by their `kid`.
    public init(_ keys: [String: JSONWebKey]) {
        self.init(verificationKeys: keys.mapValues(VerificationKey.init))
    }

    /// A set of keys by their `kid`.
    public init(verificationKeys: [String: VerificationKey]) {
        self.verificationKeys = verificationKeys
        ignored = []
    }

    /// Reads a JWKS: keys with `kid`, with an `alg` that is used here and fits the key, and, if present, `use` sig and `key_ops` verify.
    ///
    /// - Throws: ``JOSEError/invalidKeySet(_:)`` for anything that is not a key set, a `kid` that occurs twice, a private key,
    ///   or a set without a usable key.
    public init(parsing bytes: [UInt8]) throws(JOSEError) {
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: bytes, maximumByteCount: Self.maximumByteCount, maximumDepth: 6)
        } catch {
            throw .invalidKeySet("the key set is not JSON: \(error)")
        }
        guard let nodes = document.root["keys"]?.elements else { throw .invalidKeySet("the key set has no array keys") }
        guard nodes.count <= 64 else {
            throw .invalidKeySet("the key set has \(nodes.count) keys; at most 64 are read")
        }
        var keys: [String: VerificationKey] = [:]
        var seen: Set<String> = []
        var ignored: [String] = []
        for (index, node) in nodes.enumerated() {
            if JSONWebKey.privateMembers.contains(where: { node[$0] != nil }) {
                throw .invalidKeySet("key \(index) of the set is private: whoever published it must replace it")
            }
            guard let kid = node["kid"]?.string, !kid.isEmpty, kid.utf8.count <= 256 else {
                ignored.append("key \(index) has no kid")
                continue
            }
            guard seen.insert(kid).inserted else { throw .invalidKeySet("two keys have the kid \(kid)") }
            if let use = node["use"], use.string != "sig" {
                ignored.append("key \(kid) is not for signatures")
                continue
            }
            if let operations = node["key_ops"], operations.elements?.contains(where: { $0.string == "verify" }) != true
            {
                ignored.append("key \(kid) is not for verifying (key_ops)")
                continue
            }
            do {
                guard let key = try VerificationKey(node) else {
                    ignored.append("key \(kid) is not for ES256, RS256 or Ed25519")
                    continue
                }
                keys[kid] = key
            } catch {
                // Other issuers publish RSA keys that are too weak for us beside good ones. A point off the curve is an attack or a fault.
                guard node["kty"]?.string != "EC" else {
                    throw .invalidKeySet("the key \(kid) cannot be used: \(error)")
                }
                ignored.append("key \(kid) cannot be used: \(error)")
            }
        }
        guard !keys.isEmpty else {
            throw .invalidKeySet(
                "the key set has no key that can be used"
                    + (ignored.isEmpty ? "" : " (\(ignored.joined(separator: "; ")))"))
        }
        verificationKeys = keys
        self.ignored = ignored
    }

    /// The set as JSON, keys in the order of their `kid`.
    public var bytes: [UInt8] {
        JSONWriter.object { writer in
            writer.array("keys") { writeElements(to: &$0) }
        }
    }

    /// Writes the keys as elements of the current array.
    func writeElements(to writer: inout JSONWriter) {
        for (kid, key) in verificationKeys.sorted(by: { $0.key < $1.key }) {
            writer.object { writer in
                key.writeMembers(to: &writer)
                writer.string("use", "sig")
                writer.string("kid", kid)
            }
        }
    }
}
