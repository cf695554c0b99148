public import CarnetResult
internal import StrictEncoding

/// Checks a ledger, entry after entry: each against its hash, its predecessor and the signed checkpoints. Its memory grows with the chains
/// and the checkpoints, not with the entries.
///
///     var audit = LedgerAudit(keys: keys)
///     for token in checkpoints { audit.add(checkpoint: token) }   // all of them first
///     for line in lines { audit.add(line) }                       // each chain in its order
///     let report = audit.finish()
public struct LedgerAudit: Sendable {
    private let keys: JSONWebKeySet
    private let isExport: Bool
    private var chains: [String: Chain] = [:]
    private var trail = CheckpointTrail()
    private var pruned: Set<Int64> = []
    private var entryCount: Int64 = 0
    private var faults: [LedgerFault] = []
    private var faultCount = 0

    /// What is known of a chain that is being read.
    private struct Chain {
        var first: Int64
        var last: Int64
        var hash: [UInt8]
    }

    /// The most faults that are kept one by one; the others are counted.
    public static let maximumFaultCount = 100

    /// An audit that trusts checkpoints by these keys.
    ///
    /// - Parameter isExport: Whether the entries have to end where the last checkpoint says, as they do in an export; a verifier that is
    ///   running writes on.
    public init(keys: JSONWebKeySet, isExport: Bool = false) {
        self.keys = keys
        self.isExport = isExport
    }

    /// Adds the ledger's next checkpoint.
    public mutating func add(checkpoint token: [UInt8]) {
        if let fault = trail.add(token) { tell(fault) }
    }

    /// Adds a checkpoint that was kept elsewhere: the ledger has to have it.
    public mutating func add(kept token: [UInt8]) {
        guard let read = UnverifiedCheckpoint(parsing: token) else {
            return tell(LedgerFault(.rollback, nil, nil, "the kept checkpoint cannot be read"))
        }
        switch read.signature(under: keys) {
        case .valid: trail.expect(read)
        case .invalid, .unknownKey:
            tell(
                LedgerFault(
                    .signature, nil, read.unverifiedContent.number,
                    "the kept checkpoint is not signed by a key of the key set"))
        }
    }

    /// Adds what the verifier itself says: that the ledger in its database is not the one that it signed last.
    public mutating func addDistrust() {
        tell(
            LedgerFault(
                .rollback, nil, nil, "the verifier remembers another checkpoint than the ledger has, and signs no more")
        )
    }

    /// Adds the next line.
    public mutating func add(_ line: LedgerLine) {
        switch line {
        case .checkpoint: break
        case .unreadable(let chain, let number, let reason):
            entryCount += 1
            tell(LedgerFault(.unreadable, chain, number, "the row cannot be read: \(reason)"))
            skip(chain, number)
        case .entry(let record, let hash):
            if record.kind == "prune", let number = Self.checkpoint(of: record.body) { pruned.insert(number) }
            follow(record.chain, record.number, record.previous, hash, computed: record.hash)
        case .older(let record, let hash):
            follow(record.chain, record.number, record.previous, hash, computed: record.hash)
        }
    }

    /// Adds a line as bytes; one that the verifier would not write is a fault.
    ///
    /// - Parameter number: The line's number in its file, from 1.
    public mutating func add(_ bytes: [UInt8], line number: Int64) {
        guard let line = LedgerLine(parsing: bytes) else {
            return tell(LedgerFault(.unreadable, nil, nil, "line \(number) is not as the verifier writes lines"))
        }
        add(line)
    }

    private mutating func follow(
        _ chain: String, _ number: Int64, _ previous: [UInt8], _ hash: [UInt8], computed: [UInt8]
    ) {
        entryCount += 1
        if computed != hash {
            tell(LedgerFault(.content, chain, number, "what it says is not what was hashed"))
        }
        if let expected = trail.hash(chain, number), expected != computed {
            tell(LedgerFault(.checkpoint, chain, number, "a signed checkpoint names another entry at this place"))
        }
        guard let known = chains[chain] else {
            guard hasRoom(chain) else { return }
            chains[chain] = Chain(first: number, last: number, hash: hash)
            if number == 0, previous != LedgerEntryRecord.root {
                tell(LedgerFault(.link, chain, number, "the chain's first entry follows another that is not there"))
            }
            return
        }
        guard number > known.last else {
            return tell(
                LedgerFault(
                    .order, chain, number, "it comes after entry \(known.last): twice, inserted or out of order"))
        }
        if number != known.last + 1 {
            tell(LedgerFault(.missing, chain, known.last + 1, "entries \(known.last + 1) to \(number - 1) are missing"))
        } else if previous != known.hash {
            tell(LedgerFault(.link, chain, number, "it does not follow entry \(known.last)"))
        }
        chains[chain]?.last = number
        chains[chain]?.hash = hash
    }

    /// Whether another chain may be remembered.
    private mutating func hasRoom(_ chain: String) -> Bool {
        if chains.count < LedgerCheckpoint.maximumHeadCount { return true }
        tell(LedgerFault(.order, chain, nil, "there are more chains than any ledger has"))
        return false
    }

    /// Goes on behind a row that has no hash of its own to go on from.
    private mutating func skip(_ chain: String, _ number: Int64) {
        guard (0...LedgerEntryRecord.maximumNumber).contains(number) else { return }
        guard let known = chains[chain], number > known.last else {
            if chains[chain] == nil, hasRoom(chain) { chains[chain] = Chain(first: number, last: number, hash: []) }
            return
        }
        chains[chain]?.last = number
        chains[chain]?.hash = []
    }

    private static func checkpoint(of body: [UInt8]) -> Int64? {
        let document = try? JSONDocument(
            parsing: body, maximumByteCount: LedgerEntryRecord.maximumBodyByteCount, maximumDepth: 8)
        return document?.root["checkpoint"]?.integer
    }

    private mutating func tell(_ fault: LedgerFault) {
        faultCount += 1
        if faults.count < Self.maximumFaultCount { faults.append(fault) }
    }

    /// Looks at what can only be seen at the end, and says what was found.
    public mutating func finish() -> LedgerAuditReport {
        for fault in trail.finish(keys) { tell(fault) }
        for (chain, state) in chains.sorted(by: { $0.key < $1.key }) where state.first > 0 {
            // What was pruned ends at a checkpoint, and an entry says which.
            if !pruned.contains(where: { trail.head(of: chain, at: $0)?.number == state.first }) {
                tell(
                    LedgerFault(
                        .missing, chain, 0,
                        "entries 0 to \(state.first - 1) are missing, and no entry says that they were pruned"))
            }
        }
        for head in trail.lastHeads where (chains[head.chain]?.last ?? -1) < head.number {
            let last = chains[head.chain].map { "ends with entry \($0.last)" } ?? "is not there"
            tell(
                LedgerFault(
                    .cut, head.chain, (chains[head.chain]?.last ?? -1) + 1,
                    "the chain \(last), and a signed checkpoint names its entry \(head.number)"))
        }
        let signed = Dictionary(trail.last?.heads.map { ($0.chain, $0.number) } ?? []) { $1 }
        for (chain, state) in chains.sorted(by: { $0.key < $1.key }) where isExport && trail.last != nil {
            if state.last > signed[chain] ?? -1 {
                tell(
                    LedgerFault(
                        .order, chain, (signed[chain] ?? -1) + 1,
                        "it comes after the last checkpoint, with which an export ends"))
            }
        }
        let covered = Dictionary(trail.lastHeads.map { ($0.chain, $0.number) }, uniquingKeysWith: max)
        return LedgerAuditReport(
            entryCount: entryCount,
            heads: chains.map { LedgerHead(chain: $0.key, number: $0.value.last, hash: $0.value.hash) }
                .sorted { $0.chain < $1.chain },
            uncheckpointedCount: chains.reduce(0) { $0 + max(0, $1.value.last - (covered[$1.key] ?? -1)) },
            checkpointCount: trail.count, lastCheckpoint: trail.last, faults: faults, faultCount: faultCount)
    }
}
