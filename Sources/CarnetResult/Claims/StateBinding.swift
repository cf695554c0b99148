package import StrictEncoding

/// The state of a machine's PCRs, as keys and secrets are bound to it: `state` of `ear_verifier_claims`.
public struct StateBinding: Sendable, Hashable {
    /// The covered PCRs by bank, as tpm2-tools writes them: `sha256:0,1,7+sha384:0`, in the order in which their values are hashed.
    public let pcrs: String
    /// PolicyPCR over these PCRs at their quoted values (TPM 2.0 Library, Part 3 §23.7), SHA-256, 32 bytes.
    public let policy: [UInt8]
    /// The storage key under which this TPM imports what is sealed to the state; `nil` where none was bound.
    public let storageKey: JSONWebKey?

    /// A binding.
    public init(pcrs: String, policy: [UInt8], storageKey: JSONWebKey? = nil) {
        self.pcrs = pcrs
        self.policy = policy
        self.storageKey = storageKey
    }

    /// Reads the claim. Its members are the issuer's, whose signature was checked before.
    ///
    /// - Throws: ``JOSEError`` for a selection with other characters than a selection has, a digest of another length, or a key that is
    ///   not on P-256.
    package init(_ node: JSONNode) throws(JOSEError) {
        guard let pcrs = node["pcrs"]?.string, Self.isSelection(pcrs) else {
            throw .invalidMessage("state.pcrs is no PCR selection")
        }
        guard let policy = node["policy"]?.string.flatMap({ Base64URL.decode($0) }), policy.count == 32 else {
            throw .invalidMessage("state.policy has not 32 bytes")
        }
        self.init(pcrs: pcrs, policy: policy, storageKey: try node["storage_jwk"].map(Self.key))
    }

    /// Reads the claim in a passport's payload, which somebody checked, or does not have to: its own machine.
    ///
    /// - Returns: `nil` when the passport states no binding.
    package init?(inPassport token: [UInt8]) throws(JOSEError) {
        guard let jws = try? CompactJWS(parsing: token), let payload = Base64URL.decode(jws.payloadSegment),
            let root = try? JSONDocument(parsing: payload, maximumByteCount: 65_536, maximumDepth: 8).root
        else { throw .invalidMessage("the passport cannot be read") }
        let claims = root["submods"]?[AttestationResult.submodule]?["ear_verifier_claims"]
        guard let node = claims?["state"] else { return nil }
        try self.init(node)
    }

    private static func key(_ node: JSONNode) throws(JOSEError) -> JSONWebKey { try JSONWebKey(node) }

    /// At most 512 of the characters that a selection is written with.
    package static func isSelection(_ text: String) -> Bool {
        (1...512).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"),
                    UInt8(ascii: ","), UInt8(ascii: "+"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    func write(to writer: inout JSONWriter) {
        writer.object("state") { writer in
            writer.string("pcrs", pcrs)
            writer.base64URL("policy", policy)
            if let storageKey { writer.object("storage_jwk") { storageKey.writeMembers(to: &$0) } }
        }
    }
}
