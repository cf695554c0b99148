internal import Cryptography
internal import StrictEncoding

/// The verifier's signed word about the ledger at one moment: the head of every chain, and the checkpoint before.
///
/// A compact JWS under ES256 with `typ: carnet-checkpoint+jwt`. Its payload has `iss`, `iat`, `number` (from 0), `previous` (hexadecimal
/// SHA-256 of the checkpoint before, as it was signed; 64 zeros before the first) and `heads`, in the order of the chains' names, each
/// with `chain`, `number` and `hash`.
public struct LedgerCheckpoint: Sendable, Hashable {
    /// `iss`: the verifier.
    public let issuer: String
    /// The place in the row of checkpoints, from 0.
    public let number: Int64
    /// `iat`: when it was signed, in seconds since 1970.
    public let issuedAt: Int64
    /// SHA-256 of the checkpoint before, 32 bytes.
    public let previous: [UInt8]
    /// The heads, in the order of the chains' names.
    public let heads: [LedgerHead]

    /// `typ` in the header.
    public static let type = "carnet-checkpoint+jwt"
    /// The longest checkpoint that is read, in bytes.
    public static let maximumByteCount = 4 << 20
    /// The most chains.
    public static let maximumHeadCount = 10_000

    /// A checkpoint that is to be signed.
    public init(issuer: String, number: Int64, issuedAt: Int64, previous: [UInt8], heads: [LedgerHead]) {
        self.issuer = issuer
        self.number = number
        self.issuedAt = issuedAt
        self.previous = previous
        self.heads = heads.sorted { $0.chain < $1.chain }
    }

    /// What the next checkpoint says of this one.
    public static func digest(of token: [UInt8]) -> [UInt8] { HashAlgorithm.sha256.hash(token) }

    var payload: [UInt8] {
        JSONWriter.object { writer in
            writer.string("iss", issuer)
            writer.integer("iat", issuedAt)
            writer.integer("number", number)
            writer.string("previous", Hexadecimal.encode(previous))
            writer.array("heads") { writer in
                for head in heads {
                    writer.object { writer in
                        writer.string("chain", head.chain)
                        writer.integer("number", head.number)
                        writer.string("hash", Hexadecimal.encode(head.hash))
                    }
                }
            }
        }
    }

    init?(payload: [UInt8]) {
        guard
            let root = try? JSONDocument(
                parsing: payload, maximumByteCount: Self.maximumByteCount, maximumDepth: 4, maximumValueCount: 1 << 16
            ).root,
            let issuer = root["iss"]?.string, let issuedAt = root["iat"]?.integer, let number = root["number"]?.integer,
            (0...LedgerEntryRecord.maximumNumber).contains(number), (0..<253_402_300_800).contains(issuedAt),
            let previous = root["previous"]?.string.flatMap({ Hexadecimal.decode($0) }),
            previous.count == 32, let nodes = root["heads"]?.elements, nodes.count <= Self.maximumHeadCount
        else { return nil }
        var heads: [LedgerHead] = []
        for node in nodes {
            guard let chain = node["chain"]?.string, let number = node["number"]?.integer,
                (0...LedgerEntryRecord.maximumNumber).contains(number),
                let hash = node["hash"]?.string.flatMap({ Hexadecimal.decode($0) }), hash.count == 32
            else { return nil }
            heads.append(LedgerHead(chain: chain, number: number, hash: hash))
        }
        self.init(issuer: issuer, number: number, issuedAt: issuedAt, previous: previous, heads: heads)
        // One spelling: what was signed is what is understood.
        guard self.payload == payload else { return nil }
    }
}
