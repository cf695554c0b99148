internal import CarnetResult

/// The row of checkpoints: each names the one before by its digest, so the signature of the last speaks for all, also for those whose keys
/// have long retired.
struct CheckpointTrail: Sendable {
    private var digests: [Int64: [UInt8]] = [:]
    private var heads: [Int64: [LedgerHead]] = [:]
    private var hashes: [String: [Int64: [UInt8]]] = [:]
    private var newest: UnverifiedCheckpoint?
    private var kept: [UnverifiedCheckpoint] = []

    var count: Int { digests.count }
    var last: LedgerCheckpoint? { newest?.unverifiedContent }
    /// The heads that the last checkpoint names, and those of checkpoints that were kept elsewhere.
    var lastHeads: [LedgerHead] {
        ((newest.map { [$0] } ?? []) + kept).flatMap(\.unverifiedContent.heads)
    }

    /// The most checkpoints of one ledger: nine years of one in five minutes.
    private static let maximumCount = 1_000_000

    /// Adds the next one. Its signature is looked at in ``finish(_:)``, if it is the last.
    mutating func add(_ token: [UInt8]) -> LedgerFault? {
        guard let read = UnverifiedCheckpoint(parsing: token) else {
            return LedgerFault(.checkpoints, nil, nil, "a checkpoint cannot be read")
        }
        let content = read.unverifiedContent, number = content.number
        guard digests.count < Self.maximumCount else {
            return LedgerFault(.checkpoints, nil, number, "there are more checkpoints than are read")
        }
        let before = newest
        if let before, before.token == token { return nil }
        digests[number] = LedgerCheckpoint.digest(of: token)
        heads[number] = content.heads
        let conflict = content.heads.first { head in hash(head.chain, head.number).map { $0 != head.hash } ?? false }
        for head in content.heads where hash(head.chain, head.number) == nil {
            hashes[head.chain, default: [:]][head.number] = head.hash
        }
        newest = read
        guard number == (before?.unverifiedContent.number ?? -1) + 1 else {
            return LedgerFault(
                .checkpoints, nil, number, "the checkpoint before it is missing, or it comes out of order")
        }
        let digest = before.map { LedgerCheckpoint.digest(of: $0.token) } ?? LedgerEntryRecord.root
        guard content.previous == digest else {
            return LedgerFault(.checkpoints, nil, number, "the checkpoint does not name the one before it")
        }
        return conflict.map {
            LedgerFault(.checkpoint, $0.chain, $0.number, "two checkpoints name different entries at this place")
        }
    }

    /// Remembers a checkpoint that the ledger has to have. Its signature was checked.
    mutating func expect(_ checkpoint: UnverifiedCheckpoint) {
        kept.append(checkpoint)
        for head in checkpoint.unverifiedContent.heads {
            hashes[head.chain, default: [:]][head.number] = head.hash
        }
    }

    /// The hash that a checkpoint says that an entry has.
    func hash(_ chain: String, _ number: Int64) -> [UInt8]? { hashes[chain]?[number] }

    /// The head of a chain in a checkpoint.
    func head(of chain: String, at number: Int64) -> LedgerHead? { heads[number]?.first { $0.chain == chain } }

    /// What is wrong with signatures, with the end, and with what was kept.
    func finish(_ keys: JSONWebKeySet) -> [LedgerFault] {
        guard let newest else {
            return [LedgerFault(.checkpoints, nil, nil, "there is no checkpoint, so nothing says that this is all")]
        }
        var faults: [LedgerFault] = []
        let number = newest.unverifiedContent.number
        switch newest.signature(under: keys) {
        case .valid: break
        case .invalid:
            faults.append(LedgerFault(.signature, nil, number, "the signature of the last checkpoint is wrong"))
        case .unknownKey:
            faults.append(
                LedgerFault(
                    .signature, nil, number, "the last checkpoint is signed by a key that is not in the key set"))
        }
        for checkpoint in kept {
            let number = checkpoint.unverifiedContent.number
            guard digests[number] != LedgerCheckpoint.digest(of: checkpoint.token) else { continue }
            faults.append(
                LedgerFault(
                    .rollback, nil, number,
                    number > newest.unverifiedContent.number
                        ? "the ledger ends with checkpoint \(newest.unverifiedContent.number), and checkpoint \(number) was kept"
                        : "the ledger has another checkpoint \(number) than the one that was kept"))
        }
        return faults
    }
}
