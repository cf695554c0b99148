package import CarnetRecords
package import CarnetEvidence
import CarnetStorage

extension Ledger {
    /// What became of an entry.
    package enum Recording: Sendable, Hashable {
        /// It is written, and the challenge consumed.
        case recorded
        /// The challenge was used before; nothing is written.
        case challengeUsed
    }

    /// Writes an entry that has no effect but to consume its challenge.
    package func record(_ entry: LedgerEntry) async throws -> Recording {
        try await change(at: entry.time) { [writer] connection in
            .unremarkable(try Self.append(entry, writer, connection) == nil ? .challengeUsed : .recorded)
        }
    }

    /// Consumes the challenge of evidence that proves nothing about anybody.
    ///
    /// Whoever sends it needs no key, so it costs the verifier a row that lasts no longer than its challenge. Where it names a machine,
    /// the ledger learns of it, at most once in ``failureInterval``. A background check is by somebody with a credential, and always
    /// recorded.
    package func consume(_ entry: LedgerEntry) async throws -> Recording {
        let isQuietable = entry.kind == .passport
        return try await change(at: entry.time) { [writer] connection in
            var isTold = !isQuietable
            if let node = entry.nodeID, isQuietable {
                isTold = try Self.isQuiet(entry.eventKind, about: node, at: entry.time, in: connection)
            }
            if isTold {
                return .unremarkable(try Self.append(entry, writer, connection) == nil ? .challengeUsed : .recorded)
            }
            return .unremarkable(try UsedChallenges.use(entry, in: connection) ? .recorded : .challengeUsed)
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
        try await change(at: 0) { [writer] connection in
            let name = subject.node.identity.attestationKeyName
            let node = try connection.row("SELECT * FROM nodes WHERE id = \(subject.node.id)").map(Node.init(row:))
            let last = try BootCounterStore.counters(of: name, in: connection)
            var circumstances = Circumstances(
                nodeStands: node.map { node in
                    node.isApproved && node.identity == subject.node.identity && node.labels == subject.node.labels
                } ?? false,
                countersStand: last.map { subject.counters.canFollow(kind.earliest($0)) } ?? true)
            let entry = entry(circumstances)
            let number = try Self.append(entry, writer, connection)
            let recording: Recording = number == nil ? .challengeUsed : .recorded
            let isNewer = last.map { subject.counters.canFollow($0) } ?? true
            if recording == .recorded, circumstances.nodeStands, isNewer {
                try BootCounterStore.store(
                    subject.counters, firmwareVersion: subject.firmwareVersion, of: name, now: entry.time,
                    in: connection)
                try subject.evidence?.store(
                    of: subject.node.id, now: entry.time, as: number.map { LedgerPlace(chain: writer, number: $0) },
                    in: connection)
                try IMAProgress.store(subject.progress, of: subject.node.id, in: connection)
                if let node, let number {
                    try WebhookOutbox.note(
                        entry, of: node, at: LedgerPlace(chain: writer, number: number), in: connection)
                }
            }
            if recording == .recorded, entry.tokenID != nil, let statusLifetime {
                circumstances.statusEntry = try StatusEntry.assign(
                    to: entry, expiry: entry.time + statusLifetime, after: subject.latestRevocation, in: connection)
            }
            return .unremarkable((recording, circumstances))
        }
    }

    /// Whether a challenge was used before: a cheap answer before any work. What counts is what ``record(_:)`` finds.
    func wasUsed(_ challengeDigest: [UInt8]) async throws -> Bool {
        try await database.read { connection in
            try connection.row("SELECT 1 FROM used_challenges WHERE digest = \(challengeDigest)") != nil
                || connection.row("SELECT 1 FROM ledger WHERE challenge = \(challengeDigest)") != nil
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

    /// The newest appraisals and withdrawals, at most `limit`, of one machine or of all.
    package func newest(_ limit: Int, nodeID: String? = nil) async throws -> [LedgerEntry] {
        let count = Int64(limit)
        return try await read { connection in
            let rows: [SQLRow], older: [SQLRow]
            if let nodeID {
                rows = try connection.rows(
                    """
                    SELECT * FROM ledger WHERE subject = \(nodeID)
                        AND kind IN ('appraisal', 'failed-appraisal', 'background-check', 'revocation')
                    ORDER BY time DESC, number DESC LIMIT \(count)
                    """)
                older = try connection.rows(
                    "SELECT * FROM appraisals WHERE node_id = \(nodeID) ORDER BY time DESC, number DESC LIMIT \(count)")
            } else {
                rows = try connection.rows(
                    """
                    SELECT * FROM ledger WHERE kind IN ('appraisal', 'failed-appraisal', 'background-check', 'revocation')
                    ORDER BY time DESC, number DESC LIMIT \(count)
                    """)
                older = try connection.rows("SELECT * FROM appraisals ORDER BY time DESC, number DESC LIMIT \(count)")
            }
            let entries =
                try rows.map { row in
                    try LedgerEntry(row: row).standing(
                        at: LedgerPlace(chain: row.text("chain"), number: row.integer("number")))
                } + older.map(LedgerEntry.init(olderRow:))
            return Array(
                entries.enumerated().sorted { ($1.element.time, $0.offset) < ($0.element.time, $1.offset) }
                    .map(\.element).prefix(limit))
        }
    }

    /// Writes an appraisal, which consumes its challenge.
    ///
    /// - Returns: Its number in the chain; `nil` when the challenge was used before.
    static func append(
        _ entry: LedgerEntry, _ writer: String, _ connection: any SQLConnection
    ) throws(StorageError) -> Int64? {
        guard try UsedChallenges.use(entry, in: connection) else { return nil }
        let digest = entry.challengeDigest
        // Challenges that do not run out may have been used when the ledger had its first form.
        if entry.challengeExpiresAt == nil,
            try connection.row("SELECT 1 FROM appraisals WHERE challenge_digest = \(digest)") != nil
        {
            return nil
        }
        return try append(.appraisal(entry), at: entry.time, writer, connection)
    }
}
