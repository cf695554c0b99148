internal import StrictEncoding

/// The keys with which an issuer signs (RFC 7517 §5): each for one algorithm, found by its `kid`.
public struct JSONWebKeySet: Sendable, Hashable {
    /// The keys by `kid`; all are for ES256.
    public let keys: [String: JSONWebKey]
    /// Why keys of the set were left out: other types and algorithms, which RFC 7517 says to ignore.
    public let ignored: [String]

    /// The longest set that is read, in bytes.
    public static let maximumByteCount = 65_536

    /// A set of ES256 keys by their `kid`.
    public init(_ keys: [String: JSONWebKey]) {
        self.keys = keys
        ignored = []
    }

    /// Reads a JWKS: keys of `kty` EC on P-256 with `kid`, `alg` ES256 and, if present, `use` sig and `key_ops` verify.
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
        var keys: [String: JSONWebKey] = [:]
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
            guard node["kty"]?.string == "EC", node["crv"]?.string == "P-256", node["alg"]?.string == "ES256" else {
                ignored.append("key \(kid) is not for ES256")
                continue
            }
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
                keys[kid] = try JSONWebKey(node)
            } catch {
                throw .invalidKeySet("the key \(kid) cannot be used: \(error)")
            }
        }
        guard !keys.isEmpty else {
            throw .invalidKeySet(
                "the key set has no ES256 key" + (ignored.isEmpty ? "" : " (\(ignored.joined(separator: "; ")))"))
        }
        self.keys = keys
        self.ignored = ignored
    }

    /// The set as JSON, keys in the order of their `kid`.
    public var bytes: [UInt8] {
        JSONWriter.object { writer in
            writer.array("keys") { writer in
                for (kid, key) in keys.sorted(by: { $0.key < $1.key }) {
                    writer.object { writer in
                        key.writeMembers(to: &writer)
                        writer.string("alg", "ES256")
                        writer.string("use", "sig")
                        writer.string("kid", kid)
                    }
                }
            }
        }
    }
}
