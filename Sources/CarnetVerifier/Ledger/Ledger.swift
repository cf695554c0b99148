package import CarnetEvidence
package import CarnetStorage

/// The record of every appraisal. Its rows consume challenges, and are chained by their hashes for each writer, so that
/// replicas do not wait for one another.
package struct Ledger: Sendable {
    private let database: any SQLDatabase
    private let writer: String

    /// The ledger in `database`.
    ///
    /// - Parameter writer: Names this writer's chain. Two replicas with the same name share a chain and take turns.
    package init(_ database: any SQLDatabase, writer: String = Ledger.defaultWriter) {
        self.database = database
        self.writer = writer
    }

    /// The chain of a verifier that has no replica of another name.
    package static let defaultWriter = "main"

    /// What became of an entry.
    package enum Recording: Sendable, Hashable {
        /// It is written, and the challenge consumed.
        case recorded
        /// The challenge was used before; nothing is written.
        case challengeUsed
    }

    /// Writes an entry that has no effect but to consume its challenge.
    package func record(_ entry: LedgerEntry) async throws -> Recording {
        try await database.write { [writer] connection in try Self.append(entry, writer, connection) }
    }

    /// How long a machine's failures are not written again after one was, in seconds.
    package static let failureInterval: Int64 = 10

    /// Consumes the challenge of evidence that proves nothing about anybody.
    ///
    /// Whoever sends it needs no key, so it costs the verifier a row that lasts no longer than its challenge. Where it names a machine,
    /// the ledger learns of it, at most once in ``failureInterval``. A background check is by somebody with a credential, and always
    /// recorded.
    package func consume(_ entry: LedgerEntry) async throws -> Recording {
        try await database.write { [writer] connection in
            guard entry.kind == .passport else { return try Self.append(entry, writer, connection) }
            if let node = entry.nodeID {
                let last = try connection.row(
                    """
                    SELECT time FROM appraisals WHERE node_id = \(node) AND outcome = \(entry.outcome.rawValue)
                    ORDER BY time DESC LIMIT 1
                    """)
                let wasQuiet = try last.map { try $0.integer("time") <= entry.time - Self.failureInterval } ?? true
                if wasQuiet { return try Self.append(entry, writer, connection) }
            }
            return try UsedChallenges.use(entry, in: connection) ? .recorded : .challengeUsed
        }
    }

    /// What an appraisal has to be recorded with: the machine that it is about, and what its quote says of its boot.
    package struct Subject: Sendable, Hashable {
        /// The machine, as it was when the appraisal began.
        package let node: Node
        /// The counters that the quote reports.
        package let counters: BootCounters
        /// The firmware version that the quote reports.
        package let firmwareVersion: UInt64
        /// The evidence, kept for rehearsals; `nil` where it is not wanted.
        package let evidence: StoredEvidence?
        /// How far its list of files is verified now; `nil` when the next has to be whole.
        package let progress: IMAProgress?
        /// The newest decision to revoke when the appraisal began: every later one may be about what it read.
        package let latestRevocation: Int64

        /// A subject.
        package init(
            node: Node, counters: BootCounters, firmwareVersion: UInt64, evidence: StoredEvidence? = nil,
            progress: IMAProgress? = nil, latestRevocation: Int64 = .max
        ) {
            self.node = node
            self.counters = counters
            self.firmwareVersion = firmwareVersion
            self.evidence = evidence
            self.progress = progress
            self.latestRevocation = latestRevocation
        }
    }

    /// What the ledger found when it was about to write.
    package struct Circumstances: Sendable, Hashable {
        /// Whether the machine is still known, with the same keys and labels, and approved.
        package let nodeStands: Bool
        /// Whether its boot counters did not go backwards since the last quote that counted.
        package let countersStand: Bool
        /// Where the status of the entry's token is kept, once it is written; `nil` when it has none.
        package fileprivate(set) var statusEntry: StatusEntry?
    }

    /// Consumes the challenge and, if nothing has changed since the appraisal began, moves the boot counters on and gives the token
    /// a place in a status list: one transaction.
    ///
    /// - Parameter statusLifetime: How long the entry's token lives, in seconds, when it is to have a status that can be withdrawn.
    /// - Parameter entry: Makes the entry from what the database says at that moment. It has no other effect, for it may be
    ///   called again.
    /// - Returns: What became of it, and of the machine. A token is made only after this returned.
    package func record(
        _ subject: Subject, _ kind: LedgerEntry.Kind = .passport, statusLifetime: Int64? = nil,
        _ entry: @escaping @Sendable (Circumstances) -> LedgerEntry
    ) async throws -> (Recording, Circumstances) {
        try await database.write { [writer] connection in
            let name = subject.node.identity.attestationKeyName
            let node = try connection.row("SELECT * FROM nodes WHERE id = \(subject.node.id)").map(Node.init(row:))
            let last = try BootCounterStore.counters(of: name, in: connection)
            var circumstances = Circumstances(
                nodeStands: node.map { node in
                    node.isApproved && node.identity == subject.node.identity && node.labels == subject.node.labels
                } ?? false,
                countersStand: last.map { subject.counters.canFollow(kind.earliest($0)) } ?? true)
            let entry = entry(circumstances)
            let recording = try Self.append(entry, writer, connection)
            let isNewer = last.map { subject.counters.canFollow($0) } ?? true
            if recording == .recorded, circumstances.nodeStands, isNewer {
                try BootCounterStore.store(
                    subject.counters, firmwareVersion: subject.firmwareVersion, of: name, now: entry.time,
                    in: connection)
                try subject.evidence?.store(of: subject.node.id, now: entry.time, in: connection)
                try IMAProgress.store(subject.progress, of: subject.node.id, in: connection)
            }
            if recording == .recorded, entry.tokenID != nil, let statusLifetime {
                circumstances.statusEntry = try StatusEntry.assign(
                    to: entry, expiry: entry.time + statusLifetime, after: subject.latestRevocation, in: connection)
            }
            return (recording, circumstances)
        }
    }

    /// Whether a challenge was used before: a cheap answer before any work. What counts is what ``record(_:)`` finds.
    func wasUsed(_ challengeDigest: [UInt8]) async throws -> Bool {
        try await database.read { connection in
            try connection.row("SELECT 1 FROM used_challenges WHERE digest = \(challengeDigest)") != nil
                || connection.row("SELECT 1 FROM appraisals WHERE challenge_digest = \(challengeDigest)") != nil
        }
    }

    /// The boot counters of a machine, for the appraisal to begin with.
    func counters(of node: Node) async throws -> BootCounters? {
        try await database.read { connection in
            try BootCounterStore.counters(of: node.identity.attestationKeyName, in: connection)
        }
    }

    /// How far a machine's list of files is verified under a policy.
    func progress(of node: Node, policyDigest: [UInt8]) async throws -> IMAProgress? {
        try await IMAProgress.of(node.id, policyDigest: policyDigest, in: database)
    }

    /// The newest entries, at most `limit`, of one machine or of all.
    package func newest(_ limit: Int, nodeID: String? = nil) async throws -> [LedgerEntry] {
        let limit = Int64(limit)
        let rows = try await database.read { connection in
            if let nodeID {
                return try connection.rows(
                    "SELECT * FROM appraisals WHERE node_id = \(nodeID) ORDER BY time DESC, number DESC LIMIT \(limit)")
            }
            return try connection.rows("SELECT * FROM appraisals ORDER BY time DESC, number DESC LIMIT \(limit)")
        }
        return try rows.map(LedgerEntry.init(row:))
    }

    /// The first entry of this writer's chain that was changed, or follows one that was removed; `nil` when none was. That
    /// entries are missing at the end cannot be seen here.
    package func firstBrokenLink() async throws -> Int64? {
        let rows = try await database.read { [writer] connection in
            try connection.rows("SELECT * FROM appraisals WHERE writer = \(writer) ORDER BY number")
        }
        var previous = Self.root
        for (expected, row) in rows.enumerated() {
            let number = try row.integer("number")
            let hash = try LedgerEntry(row: row).hash(writer: writer, number: number, previous: previous)
            guard number == Int64(expected), try row.bytes("previous") == previous, try row.bytes("hash") == hash else {
                return number
            }
            previous = hash
        }
        return nil
    }

    /// What the first entry of a chain has before it.
    private static let root = [UInt8](repeating: 0, count: 32)

    /// Writes an entry at the end of a writer's chain.
    static func append(
        _ entry: LedgerEntry, _ writer: String, _ connection: any SQLConnection
    ) throws(StorageError) -> Recording {
        guard try UsedChallenges.use(entry, in: connection) else { return .challengeUsed }
        let last = try connection.row(
            "SELECT number, hash FROM appraisals WHERE writer = \(writer) ORDER BY number DESC LIMIT 1")
        let number = try last.map { row throws(StorageError) in try row.integer("number") + 1 } ?? 0
        let previous = try last.map { row throws(StorageError) in try row.bytes("hash") } ?? root
        let hash = entry.hash(writer: writer, number: number, previous: previous)
        let count = try connection.execute(
            """
            INSERT INTO appraisals (writer, number, previous, hash, time, kind, challenge_digest, requester, node_id,
                outcome, policy_digest, evidence_digest, token_id, findings)
            VALUES (\(writer), \(number), \(previous), \(hash), \(entry.time), \(entry.kind.rawValue),
                \(entry.challengeDigest), \(entry.requester), \(entry.nodeID), \(entry.outcome.rawValue),
                \(entry.policyDigest), \(entry.evidenceDigest), \(entry.tokenID), \(entry.findings))
            ON CONFLICT (challenge_digest) DO NOTHING
            """)
        return count == 1 ? .recorded : .challengeUsed
    }
}
