internal import CarnetEvidence
public import CarnetResult
public import StrictEncoding
internal import TPM2

/// What a TPM sealed for itself, as JSON: the object's two halves, and what its opener has to know to satisfy the policy.
///
/// The object protects itself: the TPM refuses one whose halves do not belong together or that another TPM made. The rest is checked
/// against the object's public area: a message that says something else than its object is refused before the TPM is asked.
public struct SealedMessage: Sendable, Hashable {
    /// The media type.
    public static let mediaType = "application/vnd.carnet.tpm-sealed+json"
    /// The longest message that is read, in bytes: it fits where brokers keep one.
    public static let maximumByteCount = 4096

    /// The Name of the storage key under which the object is loaded, 34 bytes (SHA-256).
    public let parent: [UInt8]
    /// When it opens.
    public let policy: SealingPolicy
    /// `TPM2B_PUBLIC`.
    public let publicArea: [UInt8]
    /// `TPM2B_PRIVATE`.
    public let privateArea: [UInt8]

    /// A message from its parts.
    public init(parent: [UInt8], policy: SealingPolicy, publicArea: [UInt8], privateArea: [UInt8]) {
        self.parent = parent
        self.policy = policy
        self.publicArea = publicArea
        self.privateArea = privateArea
    }

    /// Reads a message: its members, each once, and no other.
    public init(parsing bytes: [UInt8]) throws(JOSEError) {
        let root: JSONNode
        do {
            root = try JSONDocument(parsing: bytes, maximumByteCount: Self.maximumByteCount, maximumDepth: 2).root
        } catch {
            throw .invalidMessage("the sealed message is not JSON that can be read in one way: \(error)")
        }
        self = try Self(root)
    }

    /// Reads a message that is a part of a larger document.
    public init(_ root: JSONNode) throws(JOSEError) {
        guard root["typ"]?.string == Self.mediaType else { throw .invalidMessage("typ is not \(Self.mediaType)") }
        guard let hasPIN = root["pin"]?.boolean else { throw .invalidMessage("pin is neither true nor false") }
        let (condition, memberCount) = try Self.condition(root, hasPIN)
        guard root.count == 5 + memberCount else {
            throw .invalidMessage("the sealed message has other members than it should have")
        }
        policy = SealingPolicy(condition, hasPIN: hasPIN)
        parent = try Self.bytes("parent", in: root, 34...34)
        publicArea = try Self.bytes("public", in: root, 1...512)
        privateArea = try Self.bytes("private", in: root, 1...512)
    }

    /// The condition, and how many members state it.
    private static func condition(
        _ root: JSONNode, _ hasPIN: Bool
    ) throws(JOSEError) -> (SealingPolicy.Condition, Int) {
        switch (root["pcrs"], root["values"], root["approved_by"]) {
        case (nil, nil, nil): return (hasPIN ? .pin : .thisTPM, 0)
        case (let pcrs?, let values?, nil):
            let texts = values.elements?.prefix(193).map { $0.string.flatMap { Base64URL.decode($0) } } ?? []
            guard let selection = pcrs.string.flatMap(TPM.PCRSelectionList.init(text:)),
                let state = PCRState(selection, values: texts.compactMap(\.self)), texts.count == state.values.count
            else { throw .invalidMessage("pcrs and values are no PCRs with a value each") }
            return (.state(state), 2)
        case (nil, nil, _?):
            let area = try bytes("approved_by", in: root, 1...512)
            guard let key = try? TPM.Public(parsing: area), ApprovalKey.isOne(key) else {
                throw .invalidMessage("approved_by is no public key that approves")
            }
            return (.approved(by: key), 1)
        default: throw .invalidMessage("the sealed message states no condition, or several")
        }
    }

    /// The message.
    public var bytes: [UInt8] { JSONWriter.object { write(to: &$0) } }

    /// Writes the members of the message.
    func write(to writer: inout JSONWriter) {
        writer.string("typ", Self.mediaType)
        writer.base64URL("parent", parent)
        switch policy.condition {
        case .thisTPM, .pin: break
        case .state(let state):
            writer.string("pcrs", state.selection.text)
            writer.array("values") { writer in
                for value in state.values { writer.element(Base64URL.encode(value)) }
            }
        case .approved(let key): writer.base64URL("approved_by", key.bytes)
        }
        writer.boolean("pin", policy.hasPIN)
        writer.base64URL("public", publicArea)
        writer.base64URL("private", privateArea)
    }

    private static func bytes(
        _ name: String, in root: JSONNode, _ counts: ClosedRange<Int>
    ) throws(JOSEError) -> [UInt8] {
        guard let bytes = root[name]?.string.flatMap({ Base64URL.decode($0) }), counts.contains(bytes.count) else {
            throw .invalidMessage("\(name) is not base64url of \(counts.lowerBound) to \(counts.upperBound) bytes")
        }
        return bytes
    }
}
