internal import StrictEncoding

/// One line of an export. Reading accepts the one spelling that the verifier writes, so that every byte counts.
public enum LedgerLine: Sendable, Hashable {
    /// An entry, with the hash that was stored beside it.
    case entry(LedgerEntryRecord, hash: [UInt8])
    /// An entry of the first form, with the hash that was stored beside it.
    case older(OlderLedgerRecord, hash: [UInt8])
    /// A signed checkpoint: a compact JWS in ASCII.
    case checkpoint([UInt8])
    /// A row that the verifier could not read as an entry, and why.
    case unreadable(chain: String, number: Int64, reason: String)

    /// The longest line that is read, in bytes.
    public static let maximumByteCount = 8 << 20

    /// The line's bytes, without an end of line.
    public var bytes: [UInt8] {
        switch self {
        case .entry(let record, let hash): record.line(hash: hash)
        case .older(let record, let hash): record.line(hash: hash)
        case .checkpoint(let token):
            JSONWriter.object { $0.string("checkpoint", String(decoding: token, as: UTF8.self)) }
        case .unreadable(let chain, let number, let reason):
            JSONWriter.object { writer in
                writer.string("chain", chain)
                writer.integer("number", number)
                writer.string("unreadable", reason)
            }
        }
    }

    /// Reads a line without its end of line; `nil` for whatever the verifier would not write.
    public init?(parsing bytes: [UInt8]) {
        guard
            let document = try? JSONDocument(
                parsing: bytes, maximumByteCount: Self.maximumByteCount, maximumDepth: 8, maximumValueCount: 1 << 16),
            let line = LedgerLine(document.root, bytes), line.bytes == bytes
        else { return nil }
        self = line
    }

    private init?(_ root: JSONNode, _ bytes: [UInt8]) {
        if let token = root["checkpoint"]?.string {
            self = .checkpoint(Array(token.utf8))
            return
        }
        guard let chain = root["chain"]?.string, let number = root["number"]?.integer,
            (0...LedgerEntryRecord.maximumNumber).contains(number)
        else { return nil }
        if let reason = root["unreadable"]?.string {
            self = .unreadable(chain: chain, number: number, reason: reason)
            return
        }
        guard let time = root["time"]?.integer, let kind = root["kind"]?.string,
            let previous = Self.digits(root["previous"]), let hash = Self.digits(root["hash"])
        else { return nil }
        switch root["v"]?.integer {
        case 2:
            guard let body = Self.last("body", of: bytes), LedgerEntryRecord.isChainName(chain) else { return nil }
            let record = LedgerEntryRecord(
                chain: chain, number: number, previous: previous, time: time, kind: kind,
                subject: root["subject"]?.string, challenge: Self.digits(root["challenge"]), body: body)
            self = .entry(record, hash: hash)
        case 1:
            guard let challenge = Self.digits(root["challenge"]), let outcome = root["outcome"]?.string,
                let evidence = Self.digits(root["evidence"]), let findings = Self.last("findings", of: bytes),
                chain.hasPrefix(OlderLedgerRecord.prefix)
            else { return nil }
            let record = OlderLedgerRecord(
                writer: String(chain.dropFirst(OlderLedgerRecord.prefix.count)), number: number, previous: previous,
                time: time, kind: kind, challenge: challenge, requester: root["requester"]?.string,
                node: root["node"]?.string, outcome: outcome, policy: Self.digits(root["policy"]), evidence: evidence,
                token: root["jti"]?.string, findings: findings)
            self = .older(record, hash: hash)
        default: return nil
        }
    }

    private static func digits(_ node: JSONNode?) -> [UInt8]? { node?.string.flatMap { Hexadecimal.decode($0) } }

    /// The bytes of the line's last member, which is `name`. Inside a string its quotation marks would be escaped, so the first place that
    /// looks like it is it.
    private static func last(_ name: String, of line: [UInt8]) -> [UInt8]? {
        let mark = Array(",\"\(name)\":".utf8)
        guard let start = line.firstRange(of: mark)?.upperBound, start < line.count else { return nil }
        return Array(line[start..<(line.count - 1)])
    }
}

extension LedgerLine {
    /// The chain and the number of the entry that the line is about; `nil` for a checkpoint.
    public var place: (chain: String, number: Int64)? {
        switch self {
        case .entry(let record, _): (record.chain, record.number)
        case .older(let record, _): (record.chain, record.number)
        case .unreadable(let chain, let number, _): (chain, number)
        case .checkpoint: nil
        }
    }
}
