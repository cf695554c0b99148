import CarnetRecords
import CarnetResult
import CarnetStorage

/// Signs status lists, and keeps each until it changes or has lived.
actor StatusListPublisher {
    private let database: any SQLDatabase
    private let signingKey: @Sendable () async throws -> SigningKey
    private let issuer: String
    private let clock: WallClock
    private let metrics: VerifierMetrics
    private var signed: [StatusListID: Signed] = [:]
    /// What is being made, so that many who ask at once cost one signature.
    private var making: [Edition: Task<Signed, any Error>] = [:]

    /// For how many seconds a relying party need not ask again.
    static let timeToLive: Int64 = 60
    /// How far ahead a clock may have been, in seconds, for its lists to be kept: relying parties refuse what is later.
    private static let tolerance: Int64 = 60
    /// How many rows are read at once: a list may have a million that are revoked.
    private static let pageCount: Int64 = 16_384

    init(
        _ database: any SQLDatabase, signingKey: @escaping @Sendable () async throws -> SigningKey, issuer: String,
        clock: WallClock, metrics: VerifierMetrics
    ) {
        self.metrics = metrics
        self.database = database
        self.signingKey = signingKey
        self.issuer = issuer
        self.clock = clock
    }

    /// A list as it was after a change, signed by a key.
    private struct Edition: Hashable {
        let list: StatusListID
        let version: Int64
        let keyID: String
    }

    private struct Signed {
        let token: [UInt8]
        let version: Int64
        let issuedAt: Int64
        let keyID: String
    }

    /// A list's token, and for how many seconds it need not be asked for again; `nil` when no such list is served.
    func token(of id: StatusListID) async throws -> (token: [UInt8], maximumAge: Int64)? {
        // The time is read before the state, so that the list is never older than it says.
        let now = clock.now
        let live = Self.liveHours(at: now)
        guard live.contains(id.hour) else { return nil }
        let versions = try await database.read { try Self.versions(of: id.hour, in: $0) }
        // One list beyond those in use is served, so that relying parties have it before a token refers to it.
        guard id.number <= (versions.keys.max() ?? -1) + 1 else { return nil }
        // A list that another key signed is signed again: that key may have been revoked.
        let key = try await signingKey()
        let edition = Edition(list: id, version: versions[id.number, default: 0], keyID: key.keyID)
        if let known = signed[id], known.keyID == key.keyID, known.version == edition.version,
            now < known.issuedAt + Self.timeToLive, known.issuedAt <= now + Self.tolerance
        {
            return (known.token, known.issuedAt + Self.timeToLive - now)
        }
        let task = making[edition] ?? Task { try await self.make(id, at: now, key) }
        making[edition] = task
        defer { making[edition] = nil }
        return (try await task.value.token, Self.timeToLive)
    }

    private func make(_ id: StatusListID, at now: Int64, _ key: SigningKey) async throws -> Signed {
        let (list, version) = try await database.read { connection in
            (
                try Self.list(id, in: connection),
                try Self.versions(of: id.hour, in: connection)[id.number, default: 0]
            )
        }
        // A list that says something else is newer, also within a second; but no relying party reads one that a clock which was set back
        // left in the future.
        let last = signed[id].flatMap { $0.issuedAt <= now + Self.tolerance ? $0 : nil }
        let issuedAt = max(now, last.map { $0.version == version ? $0.issuedAt : $0.issuedAt + 1 } ?? now)
        let content = StatusListToken(
            uri: id.uri(issuer: issuer), issuedAt: issuedAt, expiresAt: id.retiresAt, timeToLive: Self.timeToLive,
            list: list
        )
        let made = Signed(token: try key.sign(content), version: version, issuedAt: issuedAt, keyID: key.keyID)
        metrics.signedStatusList()
        let live = Self.liveHours(at: now)
        signed = signed.filter { live.contains($0.key.hour) }
        signed[id] = made
        return made
    }

    /// The names of all lists that are served: what a relying party needs before it goes offline.
    func names() async throws -> [String] {
        let hours = Self.liveHours(at: clock.now)
        let highest = try await database.read { connection in
            try hours.map { hour in (hour, (try Self.versions(of: hour, in: connection).keys.max() ?? -1) + 1) }
        }
        return highest.flatMap { hour, last in
            (0...min(last, StatusListID.maximumNumber)).map {
                StatusListID(hour: hour, number: $0).uri(issuer: issuer)
            }
        }
    }

    private static func liveHours(at now: Int64) -> ClosedRange<Int64> {
        StatusListID.liveHours(at: now, longestLife: AttestationResult.maximumLifetime)
    }

    /// How often each list of an hour has changed; a list that no token refers to yet is not there.
    private static func versions(of hour: Int64, in connection: any SQLConnection) throws(StorageError) -> [Int64:
        Int64]
    {
        var versions: [Int64: Int64] = [:]
        for row in try connection.rows("SELECT list, version FROM status_lists WHERE hour = \(hour)") {
            versions[try row.integer("list")] = try row.integer("version")
        }
        return versions
    }

    /// The list as the database has it, read a page at a time.
    private static func list(_ id: StatusListID, in connection: any SQLConnection) throws -> StatusList {
        var list = try StatusList(count: StatusListID.entryCount)
        var last: Int64 = -1
        while true {
            let rows = try connection.rows(
                """
                SELECT position FROM revoked_entries
                WHERE hour = \(id.hour) AND list = \(id.number) AND position > \(last)
                ORDER BY position LIMIT \(pageCount)
                """)
            for row in rows {
                last = try row.integer("position")
                list.set(.invalid, at: Int(last))
            }
            if rows.count < pageCount { return list }
        }
    }
}
