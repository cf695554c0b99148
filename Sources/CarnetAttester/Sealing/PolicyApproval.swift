internal import CarnetEvidence
public import CarnetResult
public import Cryptography
internal import StrictEncoding
public import TPM2

/// An operator's word that a secret may be unsealed in a state, which the TPM checks (TPM2_PolicyAuthorize): the state of the next boot,
/// say, approved before any machine has it.
public struct PolicyApproval: Sendable, Hashable {
    /// The media type.
    public static let mediaType = "application/vnd.carnet.tpm-approval+json"
    /// What an approval is for (`policyRef`): a signature for another purpose approves nothing.
    public static let reference = Array("carnet/sealing/v1".utf8)

    /// The PCRs that the state is about.
    public let selection: TPM.PCRSelectionList
    /// The policy digest of the state (PolicyPCR, SHA-256), 32 bytes.
    public let policy: [UInt8]
    /// Over ``message(policy:)`` with SHA-256: r ‖ s of ECDSA on P-256, 64 bytes.
    public let signature: [UInt8]

    /// An approval from its parts.
    public init(selection: TPM.PCRSelectionList, policy: [UInt8], signature: [UInt8]) {
        self.selection = selection
        self.policy = policy
        self.signature = signature
    }

    /// What is signed: the policy digest and the reference.
    public static func message(policy: [UInt8]) -> [UInt8] { policy + reference }

    /// Approves a state with a P-256 key.
    public init(of state: PCRState, by key: PrivateKey) throws(CryptographyError) {
        let policy = state.policy.bytes
        self.init(
            selection: state.selection, policy: policy,
            signature: try key.ecdsaSignature(over: Self.message(policy: policy), .sha256))
    }

    /// Reads an approval: its three members and `typ`, each once, and no other.
    public init(parsing bytes: [UInt8]) throws(JOSEError) {
        let root: JSONNode
        do {
            root = try JSONDocument(parsing: bytes, maximumByteCount: 4096, maximumDepth: 1).root
        } catch {
            throw .invalidMessage("the approval is not JSON that can be read in one way: \(error)")
        }
        guard root["typ"]?.string == Self.mediaType, root.count == 4 else {
            throw .invalidMessage("the approval has other members than it should have, or is none")
        }
        guard let selection = root["pcrs"]?.string.flatMap(TPM.PCRSelectionList.init(text:)),
            let policy = root["policy"]?.string.flatMap({ Base64URL.decode($0) }), policy.count == 32,
            let signature = root["signature"]?.string.flatMap({ Base64URL.decode($0) }),
            signature.count == 64
        else { throw .invalidMessage("the approval's pcrs, policy or signature is not what it should be") }
        self.init(selection: selection, policy: policy, signature: signature)
    }

    /// The approval as JSON.
    public var bytes: [UInt8] {
        let approval = self
        return JSONWriter.object { writer in
            writer.string("typ", Self.mediaType)
            writer.string("pcrs", approval.selection.text)
            writer.base64URL("policy", approval.policy)
            writer.base64URL("signature", approval.signature)
        }
    }
}
