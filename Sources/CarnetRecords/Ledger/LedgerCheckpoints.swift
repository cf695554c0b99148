package import CarnetLedger
package import CarnetResult
import CarnetService
import CarnetStorage
package import Logging

/// Signs checkpoints when enough was written or enough time went by, and keeps them in the database.
package struct LedgerCheckpoints: Sendable {
    package let ledger: Ledger
    package let issuer: String
    package let clock: WallClock
    /// Signs with the verifier's present key.
    package let sign: @Sendable (LedgerCheckpoint) async throws -> [UInt8]
    /// The public keys that the verifier knows to be its own, also those that were replaced while it ran.
    package let keys: @Sendable () async throws -> JSONWebKeySet
    /// What it signed or found good last.
    package var memory: CheckpointMemory

    /// The checkpoints of a ledger.
    package init(
        ledger: Ledger, issuer: String, clock: WallClock,
        sign: @escaping @Sendable (LedgerCheckpoint) async throws -> [UInt8],
        keys: @escaping @Sendable () async throws -> JSONWebKeySet, memory: CheckpointMemory = CheckpointMemory()
    ) {
        self.ledger = ledger
        self.issuer = issuer
        self.clock = clock
        self.sign = sign
        self.keys = keys
        self.memory = memory
    }

    /// After so many entries a checkpoint is due.
    package static let entryInterval: Int64 = 1000
    /// After so many seconds a checkpoint is due, if anything was written.
    package static let timeInterval: Int64 = 300
    /// How many bytes of checkpoints are listed at once, about.
    package static let pageByteCount = 4 << 20
    /// How often the two are looked at, in seconds.
    package static let lookInterval = 5

    /// A checkpoint as it is stored.
    package struct Stored: Sendable {
        package let number: Int64
        package let time: Int64
        package let token: [UInt8]

        init(number: Int64, time: Int64, token: [UInt8]) {
            self.number = number
            self.time = time
            self.token = token
        }

        init(row: SQLRow) throws(StorageError) {
            self.init(
                number: try row.integer("number"), time: try row.integer("time"), token: try row.bytes("statement"))
        }
    }

    /// The last checkpoint.
    package func last() async throws -> Stored? {
        try await ledger.read { try $0.row("SELECT * FROM ledger_checkpoints ORDER BY number DESC LIMIT 1") }
            .map(Stored.init(row:))
    }

    /// Checkpoints after a number, oldest first, at most `limit`, and not many more than ``pageByteCount`` bytes.
    package func list(after number: Int64, limit: Int) async throws -> [Stored] {
        var list: [Stored] = [], byteCount = 0
        while list.count < limit, byteCount < Self.pageByteCount {
            let after = list.last?.number ?? number, count = Int64(min(limit - list.count, 16))
            let part = try await ledger.read { connection in
                try connection.rows(
                    "SELECT * FROM ledger_checkpoints WHERE number > \(after) ORDER BY number LIMIT \(count)")
            }.map(Stored.init(row:))
            list += part
            byteCount += part.reduce(0) { $0 + $1.token.count }
            if part.count < count { break }
        }
        return list
    }

    /// Makes a checkpoint of the ledger as it is now, unless the last one says the same.
    ///
    /// - Throws: ``Problem`` when the last one cannot be trusted.
    package func make() async throws -> Stored {
        for _ in 0..<8 {
            let last = try await trustedLast()
            let known = last.flatMap { UnverifiedCheckpoint(parsing: $0.token) }
            let heads = Self.heads(try await ledger.chains().map(\.head), after: known?.unverifiedContent.heads ?? [])
            if let last, known?.unverifiedContent.heads == heads { return last }
            let number = (last?.number ?? -1) &+ 1
            guard (0...LedgerEntryRecord.maximumNumber).contains(number) else {
                throw StorageError(.unexpectedValue, "the number of the last checkpoint is none")
            }
            guard heads.count <= LedgerCheckpoint.maximumHeadCount else {
                throw StorageError(.unexpectedValue, "the ledger has more chains than a checkpoint can name")
            }
            let checkpoint = LedgerCheckpoint(
                issuer: issuer, number: number, issuedAt: clock.now,
                previous: last.map { LedgerCheckpoint.digest(of: $0.token) } ?? LedgerEntryRecord.root, heads: heads)
            let token = try await sign(checkpoint)
            let stored = Stored(number: number, time: checkpoint.issuedAt, token: token)
            let isStored = try await ledger.change(at: stored.time) { connection in
                .unremarkable(
                    try connection.execute(
                        """
                        INSERT INTO ledger_checkpoints (number, time, statement)
                        VALUES (\(stored.number), \(stored.time), \(stored.token)) ON CONFLICT (number) DO NOTHING
                        """) == 1)
            }
            // Another replica may have been faster.
            guard isStored else { continue }
            if let checkpoint = UnverifiedCheckpoint(parsing: token) { memory.keep(checkpoint) }
            return stored
        }
        throw StorageError(.unavailable, "other verifiers make checkpoints all the time")
    }

    /// The heads to sign. A chain that is shorter than it was, or gone, stays as it was: what was signed once stays signed, so that whoever
    /// cut it cannot have the cut signed.
    package static func heads(_ present: [LedgerHead], after known: [LedgerHead]) -> [LedgerHead] {
        // A row that was spoilt has no hash that could be signed; the audit tells of it.
        var heads = Dictionary(present.filter(Self.isSignable).map { ($0.chain, $0) }) { $1 }
        for head in known where (heads[head.chain]?.number ?? -1) <= head.number { heads[head.chain] = head }
        return heads.values.sorted { $0.chain < $1.chain }
    }

    private static func isSignable(_ head: LedgerHead) -> Bool {
        head.hash.count == 32 && (0...LedgerEntryRecord.maximumNumber).contains(head.number)
    }

    /// Whether a checkpoint is due.
    package func isDue() async throws -> Bool {
        let heads = try await ledger.chains().map(\.head).filter(Self.isSignable)
        guard let last = try await last(), let known = UnverifiedCheckpoint(parsing: last.token)?.unverifiedContent
        else {
            return !heads.isEmpty
        }
        let numbers = Dictionary(known.heads.map { ($0.chain, $0.number) }) { $1 }
        let count = heads.reduce(0) { $0 + max(0, $1.number - (numbers[$1.chain] ?? -1)) }
        return count >= Self.entryInterval || (count > 0 && last.time <= clock.now - Self.timeInterval)
    }

    /// Makes checkpoints when they are due, until it is cancelled, and remembers those of other replicas. What goes wrong is logged and tried
    /// again.
    package func run(_ logger: Logger) async {
        var told: (reason: String, at: Int64)?
        while !Task.isCancelled {
            do {
                _ = try await trustedLast()
                if try await isDue() { _ = try await make() }
                told = nil
            } catch {
                let reason = (error as? Problem)?.detail ?? "\(error)", now = clock.now
                // The same is not said every few seconds.
                if told?.reason != reason || abs(now - (told?.at ?? 0)) >= Self.timeInterval {
                    logger.error("the ledger has no new checkpoint", metadata: ["reason": .string(reason)])
                    told = (reason, now)
                }
            }
            try? await Task.sleep(for: .seconds(Self.lookInterval))
        }
    }
}
