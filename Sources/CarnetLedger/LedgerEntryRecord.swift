internal import StrictEncoding

/// One entry of one chain, as it is stored, exported and hashed.
///
/// The hash is SHA-256 over these fields in this order, each preceded by its length as eight bytes, big-endian (`-1` for a field that is not
/// there): the label `carnet/ledger/v2`, the chain's name, the number in decimal digits, the hash of the entry before (32 zeros before the
/// first), the time in decimal digits, the kind, the subject, the challenge's digest, the body. Text is UTF-8. The body is hashed as it is
/// stored: nothing is brought into a canonical form when it is checked.
public struct LedgerEntryRecord: Sendable, Hashable {
    /// The chain: one writer's entries. 1 to 64 characters of A-Z a-z 0-9 . _ -
    public let chain: String
    /// The place in the chain, from 0.
    public let number: Int64
    /// The hash of the entry before it, 32 bytes.
    public let previous: [UInt8]
    /// When, in seconds since 1970.
    public let time: Int64
    /// What happened, in a word such as `appraisal`.
    public let kind: String
    /// What it is about: a machine's identifier, a digest, a name.
    public let subject: String?
    /// The digest of the challenge that it consumed, 32 bytes.
    public let challenge: [UInt8]?
    /// What there is to say of it: one JSON object.
    public let body: [UInt8]

    /// What the first entry of a chain has before it.
    public static let root = [UInt8](repeating: 0, count: 32)
    /// The highest number: of an entry, and of a checkpoint.
    public static let maximumNumber: Int64 = 1 << 40
    /// The longest body, in bytes.
    public static let maximumBodyByteCount = 1 << 20

    /// An entry from its parts.
    public init(
        chain: String, number: Int64, previous: [UInt8], time: Int64, kind: String, subject: String?,
        challenge: [UInt8]?, body: [UInt8]
    ) {
        self.chain = chain
        self.number = number
        self.previous = previous
        self.time = time
        self.kind = kind
        self.subject = subject
        self.challenge = challenge
        self.body = body
    }

    /// What the chain's next entry repeats.
    public var hash: [UInt8] {
        var digest = FieldHash("carnet/ledger/v2")
        digest.add(chain)
        digest.add(String(number))
        digest.add(previous)
        digest.add(String(time))
        digest.add(kind)
        digest.add(subject)
        digest.add(challenge)
        digest.add(body)
        return digest.finish()
    }

    /// Whether a text may name a chain.
    public static func isChainName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }

    /// The line of an export, with the hash that is stored beside the entry; no end of line.
    public func line(hash: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(reserving: body.count + 512)
        writer.object { writer in
            writer.integer("v", 2)
            writer.string("chain", chain)
            writer.integer("number", number)
            writer.integer("time", time)
            writer.string("kind", kind)
            if let subject { writer.string("subject", subject) }
            if let challenge { writer.string("challenge", Hexadecimal.encode(challenge)) }
            writer.string("previous", Hexadecimal.encode(previous))
            writer.string("hash", Hexadecimal.encode(hash))
            writer.json("body", body)
        }
        return writer.bytes
    }
}
