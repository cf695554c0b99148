/// Both copies of a volume's LUKS2 header, each read and checked, and the one that counts.
///
/// The header is not authentic: whoever writes to the disk writes it. What is accepted can only be a volume that is encrypted, under a key
/// that somebody has to give.
public struct LUKS2Header: Sendable, Hashable {
    /// The volume's UUID.
    public let uuid: String
    /// The volume's label; empty where it has none.
    public let label: String
    /// The cipher, as `aes-xts-plain64`.
    public var cipher: String { metadata.cipher }
    /// The numbers of the keyslots.
    public var keyslots: Set<Int> { metadata.keyslots }
    /// The tokens by number.
    public var tokens: [Int: LUKS2Token] { metadata.tokens }
    /// What tells the volume's own key, 32 bytes: the same whatever keyslots and tokens come and go, and another for every other key.
    ///
    /// cryptsetup opens nothing whose key does not fit it. So a volume of somebody who does not know the key has another one.
    public var keyIdentity: [UInt8] { metadata.keyIdentity }
    /// Whether both copies are good and say the same.
    public let isComplete: Bool
    /// How much of the volume header and keyslots take, in bytes.
    var byteCount: Int { 2 * binary.copyByteCount + metadata.keyslotsByteCount }
    /// Both copies as they were checked: where one was damaged or older it is made from the other, as cryptsetup would.
    let copies: [UInt8]
    private let binary: LUKS2BinaryHeader
    private let metadata: LUKS2Metadata

    /// Both copies of a header of 16 KiB with a text as its JSON, and right checksums: what tests change at the place that matters.
    package static func bytes(withJSON text: [UInt8]) -> [UInt8] {
        var copy = [UInt8](repeating: 0, count: 16_384)
        copy[7] = 2
        copy[14] = 0x40
        copy.replaceSubrange(LUKS2BinaryHeader.byteCount..., with: text.prefix(12_288))
        copy += [UInt8](repeating: 0, count: max(0, 16_384 - copy.count))
        let first = LUKS2BinaryHeader.firstCopy(of: copy)
        return first + LUKS2BinaryHeader.secondCopy(of: first)
    }

    /// How much of a volume holds both copies as cryptsetup makes them unless it is told otherwise, in bytes.
    static let usualCopiesByteCount = 32 << 10
    /// How much of a volume to read to have both copies, in bytes; it may have less.
    public static let maximumCopiesByteCount = 8 << 20

    /// Reads the beginning of a volume.
    ///
    /// - Throws: ``LUKS2Error``. A copy that can be read and is refused is an error although the other is good: cryptsetup could choose it.
    public init(parsing bytes: [UInt8]) throws(LUKS2Error) {
        var copies: [(binary: LUKS2BinaryHeader, metadata: LUKS2Metadata, bytes: [UInt8])] = [], failure: LUKS2Error?
        // The first copy says where the second lies; without it every place is tried, as cryptsetup tries.
        var offsets = [0]
        while let offset = offsets.first {
            offsets.removeFirst()
            do throws(LUKS2Error) {
                guard offset < bytes.count else { throw LUKS2Error(.none, "there is no LUKS header") }
                let copy = bytes[offset...]
                let binary = try LUKS2BinaryHeader(parsing: copy, at: offset)
                let area = copy.dropFirst(LUKS2BinaryHeader.byteCount).prefix(
                    binary.copyByteCount - LUKS2BinaryHeader.byteCount)
                let metadata = try LUKS2Metadata(parsing: area, copyByteCount: binary.copyByteCount)
                copies.append((binary, metadata, Array(copy.prefix(binary.copyByteCount))))
                offsets = offset == 0 ? [binary.copyByteCount] : []
            } catch {
                guard error.code != .refused else { throw error }
                // What matters is the first copy's reason, unless there is none and the second has one.
                if failure == nil || failure?.code == LUKS2Error.Code.none { failure = error }
                if offset == 0 { offsets = LUKS2BinaryHeader.copyByteCounts.sorted() }
            }
        }
        // Of two copies cryptsetup takes the newer, and the first of equals.
        guard let first = copies.first else { throw failure ?? .damaged("there is no header") }
        let last = copies[copies.count - 1]
        let newer = last.binary.sequence > first.binary.sequence ? last : first
        binary = newer.binary
        metadata = newer.metadata
        uuid = newer.binary.uuid
        label = newer.binary.label
        isComplete =
            copies.count == 2 && first.binary.sequence == last.binary.sequence && first.metadata == last.metadata
        let bytes = LUKS2BinaryHeader.firstCopy(of: newer.bytes)
        self.copies = bytes + LUKS2BinaryHeader.secondCopy(of: bytes)
    }
}
