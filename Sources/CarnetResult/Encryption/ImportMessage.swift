internal import StrictEncoding

/// A secret that one TPM opens in one state only, as JSON: the parts of a TPM import blob, and what its opener has to know.
///
/// The blob protects itself: whoever changes a part of it makes a blob that the TPM refuses. Parent and PCRs only say what to try, so
/// that the refusal can say why.
public struct ImportMessage: Sendable, Hashable {
    /// The media type.
    public static let mediaType = "application/vnd.carnet.tpm-import+json"
    /// The longest message that is read, in bytes.
    public static let maximumByteCount = 8192

    /// The Name of the storage key under which the blob is imported, 34 bytes (SHA-256).
    public let parent: [UInt8]
    /// The PCRs of the policy, as tpm2-tools writes them: `sha256:0,1,7`.
    public let pcrs: String
    /// `TPM2B_PUBLIC`.
    public let publicArea: [UInt8]
    /// `TPM2B_PRIVATE`.
    public let duplicate: [UInt8]
    /// `TPM2B_ENCRYPTED_SECRET`.
    public let encryptedSeed: [UInt8]

    /// A message from its parts.
    public init(parent: [UInt8], pcrs: String, publicArea: [UInt8], duplicate: [UInt8], encryptedSeed: [UInt8]) {
        self.parent = parent
        self.pcrs = pcrs
        self.publicArea = publicArea
        self.duplicate = duplicate
        self.encryptedSeed = encryptedSeed
    }

    /// Whether these bytes begin as such a message and not as a compact JWE.
    public static func isOne(_ bytes: [UInt8]) -> Bool { bytes.first == UInt8(ascii: "{") }

    /// Reads a message: its five members and `typ`, each once, and no other.
    public init(parsing bytes: [UInt8]) throws(JOSEError) {
        let root: JSONNode
        do {
            root = try JSONDocument(parsing: bytes, maximumByteCount: Self.maximumByteCount, maximumDepth: 1).root
        } catch {
            throw .invalidMessage("the import blob is not JSON that can be read in one way: \(error)")
        }
        guard root["typ"]?.string == Self.mediaType else { throw .invalidMessage("typ is not \(Self.mediaType)") }
        guard root.count == 6 else { throw .invalidMessage("the import blob has other members than it should have") }
        parent = try Self.bytes("parent", in: root, 34...34)
        guard let pcrs = root["pcrs"]?.string, StateBinding.isSelection(pcrs) else {
            throw .invalidMessage("pcrs is no PCR selection")
        }
        self.pcrs = pcrs
        publicArea = try Self.bytes("public", in: root, 1...512)
        duplicate = try Self.bytes("duplicate", in: root, 1...512)
        encryptedSeed = try Self.bytes("seed", in: root, 1...512)
    }

    /// The message.
    public var bytes: [UInt8] {
        let message = self
        return JSONWriter.object { writer in
            writer.string("typ", Self.mediaType)
            writer.base64URL("parent", message.parent)
            writer.string("pcrs", message.pcrs)
            writer.base64URL("public", message.publicArea)
            writer.base64URL("duplicate", message.duplicate)
            writer.base64URL("seed", message.encryptedSeed)
        }
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
