internal import Cryptography
internal import StrictEncoding

/// The JSON part of a LUKS2 header, of which every member was looked at (LUKS2 On-Disk Format Specification 1.1.4, §3): one encrypted
/// segment, nothing in flight, no requirement, keyslots that are encrypted themselves.
struct LUKS2Metadata: Sendable, Hashable {
    /// How much of the volume the keyslots take, in bytes.
    let keyslotsByteCount: Int
    /// The numbers of the keyslots.
    let keyslots: Set<Int>
    /// The cipher of the segment, as `aes-xts-plain64`.
    let cipher: String
    /// What tells the segment's key: SHA-256 over the members of the digest that cryptsetup holds the key against, 32 bytes.
    let keyIdentity: [UInt8]
    /// The tokens by number, each as JSON text.
    let tokens: [Int: LUKS2Token]
    private static let maximumKeyslotsByteCount = 128 << 20

    /// Reads the JSON area of a copy of `copyByteCount` bytes: a text, and zeros behind it.
    init(parsing area: ArraySlice<UInt8>, copyByteCount: Int) throws(LUKS2Error) {
        let text = Array(area.prefix { $0 != 0 })
        guard area.dropFirst(text.count).allSatisfy({ $0 == 0 }) else {
            throw .damaged("bytes follow the header's JSON")
        }
        let root: JSONNode
        do {
            root = try JSONDocument(
                parsing: text, maximumByteCount: 4 << 20, maximumDepth: 12, maximumValueCount: 8192
            ).root
        } catch {
            throw .damaged("the header's JSON cannot be read in one way: \(error)")
        }
        try LUKS2Rules.requireMembers(root, ["keyslots", "tokens", "segments", "digests", "config"], "the header")
        keyslotsByteCount = try Self.config(root["config"], copyByteCount)
        let dataOffset = 2 * copyByteCount + keyslotsByteCount
        cipher = try Self.segment(root["segments"], dataOffset)
        var areas: [Range<Int>] = [], keyslots: Set<Int> = []
        for (name, node) in root["keyslots"]?.members ?? [] {
            guard let slot = LUKS2Rules.slot(name) else { throw .damaged("a keyslot has no number") }
            areas.append(try LUKS2Keyslot.area(node, "keyslot \(slot)", within: (2 * copyByteCount)..<dataOffset))
            keyslots.insert(slot)
        }
        self.keyslots = keyslots
        areas.sort { $0.lowerBound < $1.lowerBound }
        for (area, next) in zip(areas, areas.dropFirst()) where area.overlaps(next) {
            throw .damaged("two keyslots have the same place")
        }
        keyIdentity = try Self.digest(root["digests"], keyslots)
        var tokens: [Int: LUKS2Token] = [:]
        for (name, node) in root["tokens"]?.members ?? [] {
            guard let slot = LUKS2Rules.slot(name) else { throw .damaged("a token has no number") }
            tokens[slot] = try LUKS2Token(node, keyslots)
        }
        self.tokens = tokens
    }

    /// `config`: how much the keyslots take. Requirements stand for what a reader has to know besides, as a reencryption in flight.
    private static func config(_ node: JSONNode?, _ copyByteCount: Int) throws(LUKS2Error) -> Int {
        guard let node else { throw .damaged("the header has no config") }
        try LUKS2Rules.requireMembers(
            node, ["json_size", "keyslots_size"], optional: ["flags", "requirements"], "config")
        guard try LUKS2Rules.number(node["json_size"], "json_size") == copyByteCount - LUKS2BinaryHeader.byteCount
        else {
            throw .damaged("json_size is not that of the header")
        }
        if let requirements = node["requirements"] {
            try LUKS2Rules.requireMembers(requirements, [], optional: ["mandatory"], "requirements")
            if let mandatory = requirements["mandatory"] {
                guard let elements = mandatory.elements else { throw .damaged("the requirements are no list") }
                if let first = elements.first {
                    let name = (first.string ?? "?").prefix(40).debugDescription
                    throw .refused("the header requires \(name): a reencryption in flight, or something unknown here")
                }
            }
        }
        if let flags = node["flags"], !(flags.elements?.allSatisfy(\.isString) ?? false) {
            throw .damaged("the flags are no list")
        }
        let count = try LUKS2Rules.number(node["keyslots_size"], "keyslots_size")
        guard count % 4096 == 0, count <= maximumKeyslotsByteCount else {
            throw .damaged("the keyslots take \(count) bytes, which is no number of blocks below 128 MiB")
        }
        return count
    }

    /// The one segment: encrypted, without integrity, behind everything else.
    private static func segment(_ node: JSONNode?, _ dataOffset: Int) throws(LUKS2Error) -> String {
        guard let segments = node?.members else { throw .damaged("there are no segments") }
        guard segments.count == 1, let (name, segment) = segments.first, name == "0" else {
            throw .refused(
                "the volume has \(segments.count) segments, and not one: it is being reencrypted, or is no plain volume"
            )
        }
        let type = segment["type"]?.string ?? "?"
        guard type == "crypt" else {
            throw .refused("the segment is of the type \(type.prefix(40).debugDescription), and not encrypted")
        }
        try LUKS2Rules.requireCipher(segment["encryption"], "the segment")
        guard segment["integrity"] == nil else {
            throw .refused("the segment has dm-integrity, which is not supported")
        }
        try LUKS2Rules.requireMembers(
            segment, ["type", "offset", "size", "iv_tweak", "encryption", "sector_size"], "the segment")
        guard try LUKS2Rules.number(segment["offset"], "the segment's offset") >= dataOffset else {
            throw .refused("the segment lies over the header")
        }
        if segment["size"]?.isString(equalTo: "dynamic") != true { _ = try LUKS2Rules.number(segment["size"], "size") }
        _ = try LUKS2Rules.number(segment["iv_tweak"], "iv_tweak")
        guard let sector = segment["sector_size"]?.integer, [512, 1024, 2048, 4096].contains(sector) else {
            throw .damaged("the segment has no size of its sectors")
        }
        return segment["encryption"]?.string ?? ""
    }

    /// The one digest, by which the key of the segment is known, whichever keyslot it comes from.
    private static func digest(_ node: JSONNode?, _ keyslots: Set<Int>) throws(LUKS2Error) -> [UInt8] {
        guard let digests = node?.members, digests.count == 1, let (_, digest) = digests.first else {
            throw .refused(
                "the volume has more than one key, or none: it is being reencrypted, or has unbound keyslots")
        }
        try LUKS2Rules.requireMembers(
            digest, ["type", "keyslots", "segments", "hash", "iterations", "salt", "digest"], "the digest")
        guard digest["type"]?.isString(equalTo: "pbkdf2") == true else { throw .refused("the digest is not by PBKDF2") }
        try LUKS2Rules.requireHash(digest["hash"], "the digest")
        try LUKS2Rules.requireInteger(digest["iterations"], in: 1...Int64(UInt32.max), "the digest's iterations")
        guard try LUKS2Rules.slots(digest["keyslots"], "the digest's keyslots") == keyslots,
            try LUKS2Rules.slots(digest["segments"], "the digest's segments") == [0]
        else { throw .refused("a keyslot is not one of the segment's key") }
        guard let salt = digest["salt"]?.string, let value = digest["digest"]?.string else {
            throw .damaged("the digest has no value")
        }
        return HashAlgorithm.sha256.hash(
            JSONWriter.object { writer in
                writer.string("hash", digest["hash"]?.string ?? "")
                writer.integer("iterations", digest["iterations"]?.integer ?? 0)
                writer.string("salt", salt)
                writer.string("digest", value)
            })
    }
}
