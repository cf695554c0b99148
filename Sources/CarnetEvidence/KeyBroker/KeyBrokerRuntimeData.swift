internal import Cryptography
public import StrictEncoding

/// `runtime-data` of the CoCo KBS protocol 0.4.0: the nonce that was asked and the key to which secrets are to be encrypted.
public struct KeyBrokerRuntimeData: Sendable, Hashable {
    /// The nonce as text, base64 with padding.
    public let nonce: String
    /// The coordinates of the guest's key on P-256, big-endian, 32 bytes each.
    public let x: [UInt8]
    public let y: [UInt8]

    /// The only kind of key that is taken.
    static let keyAlgorithm = "ECDH-ES+A256KW"

    /// Why the key is not taken, though it may be a good one elsewhere.
    public static let unsupportedKey = "is no key that secrets are encrypted to here: EC on P-256, alg ECDH-ES+A256KW"

    /// Reads the object: `nonce` and `tee-pubkey` with `kty`, `crv`, `alg`, `x` and `y`, and nothing else.
    ///
    /// - Throws: ``EvidenceError``; its reason is ``unsupportedKey`` for a key of another kind.
    public init(_ node: JSONNode?, path: String) throws(EvidenceError) {
        guard let node else { throw EvidenceError(path, "is missing") }
        var reader = try MemberReader(node, path: path)
        guard let nonce = try reader.required("nonce").string, nonce.utf8.count <= 88, Base64.decode(nonce) != nil
        else {
            throw EvidenceError(reader.path(of: "nonce"), "is not base64 of at most 64 bytes")
        }
        self.nonce = nonce
        var key = try reader.object("tee-pubkey")
        try reader.end()
        guard try key.required("kty").string == "EC", try key.required("crv").string == "P-256",
            try key.required("alg").string == Self.keyAlgorithm
        else { throw EvidenceError(reader.path(of: "tee-pubkey"), Self.unsupportedKey) }
        x = try key.bytes("x", maximum: 32)
        y = try key.bytes("y", maximum: 32)
        try key.end()
        guard x.count == 32, y.count == 32 else { throw EvidenceError(key.path(of: "x"), "has not 32 bytes") }
        do {
            _ = try PublicKey(.p256, x: x, y: y)
        } catch {
            throw EvidenceError(key.path(of: "x"), "and y are no point of P-256")
        }
    }

    /// What the quote carries as extraData: the first 32 bytes of SHA-384 over the canonical JSON (RFC 8785) of
    /// `{"additional-evidence","nonce","tee-pubkey"}`. The protocol lets other hashes be chosen; here none is.
    public func qualifyingData(additionalEvidence: String) -> [UInt8] {
        Array(HashAlgorithm.sha384.hash(canonical(additionalEvidence: additionalEvidence)).prefix(32))
    }

    /// The canonical JSON that is bound, in UTF-8.
    func canonical(additionalEvidence: String) -> [UInt8] {
        let key = CanonicalJSON.object([
            ("alg", CanonicalJSON.string(Self.keyAlgorithm)), ("crv", CanonicalJSON.string("P-256")),
            ("kty", CanonicalJSON.string("EC")), ("x", CanonicalJSON.string(Base64URL.encode(x))),
            ("y", CanonicalJSON.string(Base64URL.encode(y))),
        ])
        return CanonicalJSON.object([
            ("additional-evidence", CanonicalJSON.string(additionalEvidence)), ("nonce", CanonicalJSON.string(nonce)),
            ("tee-pubkey", key),
        ])
    }
}
