internal import CarnetResult
internal import StrictEncoding

/// A token of a LUKS2 header: what somebody put beside the keyslots, and the keyslots that it is about.
public struct LUKS2Token: Sendable, Hashable {
    /// The type of Carnet's own.
    public static let carnetType = "carnet"

    /// Whose it is, as `systemd-tpm2` or ``carnetType``.
    public let type: String
    /// The keyslots that it opens.
    public let keyslots: Set<Int>
    /// What is in it when it is Carnet's; `nil` for others'.
    public let disk: DiskToken?

    init(_ node: JSONNode, _ known: Set<Int>) throws(LUKS2Error) {
        guard let type = node["type"]?.string, (1...64).contains(type.utf8.count) else {
            throw .damaged("a token has no type")
        }
        self.type = type
        keyslots = try LUKS2Rules.slots(node["keyslots"], "a token's keyslots")
        guard keyslots.isSubset(of: known) else { throw .damaged("a token is for a keyslot that is not there") }
        do {
            disk = type == Self.carnetType ? try DiskToken(node) : nil
        } catch {
            throw .refused("the token of Carnet cannot be used: \(error)")
        }
    }
}

/// What Carnet keeps in a volume's header: the key, sealed by the TPM for a state.
///
/// Nothing in it is believed: the TPM and the keyslot say whether it is right. Who only writes to the disk can put another there, which
/// opens nothing. Who could also run software on the machine can have sealed a key of his own, and put its token there with a volume that
/// it opens: see ``TokenDemand``.
public struct DiskToken: Sendable, Hashable {
    /// Under which name the volume is escrowed.
    public let volume: String
    /// When it was sealed, in seconds since 1970.
    public let sealedAt: Int64
    public let sealed: SealedMessage

    /// A token.
    public init(volume: String, sealedAt: Int64, sealed: SealedMessage) {
        self.volume = volume
        self.sealedAt = sealedAt
        self.sealed = sealed
    }

    init(_ node: JSONNode) throws(JOSEError) {
        guard node.count == 5, let volume = node["volume"]?.string, Self.isVolumeName(volume),
            let sealedAt = node["sealed_at"]?.integer, sealedAt >= 0, let sealed = node["sealed"]
        else { throw .invalidMessage("it has not the members that it should have") }
        self.volume = volume
        self.sealedAt = sealedAt
        self.sealed = try SealedMessage(sealed)
    }

    /// The token as JSON for a keyslot.
    func bytes(forKeyslot keyslot: Int) -> [UInt8] {
        JSONWriter.object { writer in
            writer.string("type", LUKS2Token.carnetType)
            writer.array("keyslots") { $0.element(String(keyslot)) }
            writer.string("volume", volume)
            writer.integer("sealed_at", sealedAt)
            writer.object("sealed") { sealed.write(to: &$0) }
        }
    }

    /// Whether a text names a volume: 1 to 64 letters, digits, dots, hyphens and underscores.
    public static func isVolumeName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
