public import Cryptography
internal import StrictEncoding
internal import TPM2

/// The keys that a quote binds, read from the exact bytes that it covers.
public struct BoundKeys: Sendable {
    /// A P-256 key and where it lives.
    public struct Key: Sendable {
        public let x: [UInt8]
        public let y: [UInt8]
        public let key: PublicKey
        /// What the attestation key certified; `nil` for a key that nobody vouches for.
        let certified: TPM.Public?

        /// Whether the attestation key certified that it is in the TPM.
        public var isInTPM: Bool { certified != nil }
    }

    /// `cnf`: the holder proves possession of it.
    public let confirmation: Key
    /// `enc`: secrets are encrypted to it.
    public let encryption: Key?
    /// `storage`: under it the TPM imports what is sealed to its state.
    public let storage: Key?

    /// The coordinates of the keys of `bound`, before anything is known about where they live.
    struct Claimed {
        let confirmation: PublicKey
        let encryption: PublicKey?
        let storage: PublicKey?

        /// Reads `{"cnf":{"jwk":…},"enc":{"jwk":…},"storage":{"jwk":…}}`, the last two optional, and nothing else.
        init(parsing bytes: [UInt8]) throws(EvidenceError) {
            let root: JSONNode
            do {
                root = try JSONDocument(parsing: bytes, maximumByteCount: 4096, maximumDepth: 4).root
            } catch {
                throw EvidenceError("bound", "is not JSON that can be read in one way: \(error)")
            }
            var reader = try MemberReader(root, path: "bound")
            confirmation = try Self.key(reader.object("cnf"))
            encryption = try Self.key(reader.optional("enc"), "bound.enc")
            storage = try Self.key(reader.optional("storage"), "bound.storage")
            try reader.end()
        }

        private static func key(_ node: JSONNode?, _ path: String) throws(EvidenceError) -> PublicKey? {
            guard let node else { return nil }
            return try key(MemberReader(node, path: path))
        }

        private static func key(_ reader: MemberReader) throws(EvidenceError) -> PublicKey {
            var reader = reader
            var jwk = try reader.object("jwk")
            try reader.end()
            guard try jwk.required("kty").string == "EC", try jwk.required("crv").string == "P-256" else {
                throw EvidenceError(jwk.path(of: "kty"), "is not a key on P-256")
            }
            let x = try jwk.bytes("x", maximum: 32), y = try jwk.bytes("y", maximum: 32)
            try jwk.end()
            guard x.count == 32, y.count == 32 else { throw EvidenceError(jwk.path(of: "x"), "has not 32 bytes") }
            do {
                return try PublicKey(.p256, x: x, y: y)
            } catch {
                throw EvidenceError(jwk.path(of: "x"), "and y are no point of P-256")
            }
        }
    }

    /// The bytes of `bound` for a signing key, an encryption key and a storage key, as an attester sends them.
    public static func encode(
        confirmation: (x: [UInt8], y: [UInt8]), encryption: (x: [UInt8], y: [UInt8])?,
        storage: (x: [UInt8], y: [UInt8])? = nil
    ) -> [UInt8] {
        func write(_ point: (x: [UInt8], y: [UInt8]), to writer: inout JSONWriter) {
            writer.object("jwk") { writer in
                writer.string("kty", "EC")
                writer.string("crv", "P-256")
                writer.base64URL("x", point.x)
                writer.base64URL("y", point.y)
            }
        }
        return JSONWriter.object { writer in
            writer.object("cnf") { write(confirmation, to: &$0) }
            if let encryption { writer.object("enc") { write(encryption, to: &$0) } }
            if let storage { writer.object("storage") { write(storage, to: &$0) } }
        }
    }
}
