import Synchronization

/// Says who may go on now, and who has to wait.
public final class RateLimiter: Sendable {
    private let table: Mutex<RateTable>
    private let clock: RateClock

    /// The most buckets, some 100 bytes each.
    public static let capacity = 65_536

    /// A limiter; `nil` when there is no limit.
    public init?(_ limit: RateLimit, capacity: Int = capacity, clock: RateClock = .system) {
        guard limit.perMinute > 0 else { return nil }
        table = Mutex(RateTable(limit, capacity: capacity))
        self.clock = clock
    }

    /// Takes a token.
    ///
    /// - Returns: `nil` when there was one; otherwise after how many seconds there will be, at least 1.
    public func take(_ key: RateKey) -> Int? {
        let now = clock.now
        return table.withLock { $0.take(key, at: now) }.map(Self.seconds)
    }

    /// After how many seconds there will be a token, at least 1; `nil` when there is one. It is not taken.
    public func wait(for key: RateKey) -> Int? {
        let now = clock.now
        return table.withLock { $0.wait(for: key, at: now) }.map(Self.seconds)
    }

    /// Gives a token back: somebody else's was taken instead.
    func giveBack(_ key: RateKey) { table.withLock { $0.giveBack(key) } }

    /// How many buckets there are.
    var count: Int { table.withLock(\.count) }

    private static func seconds(_ nanoseconds: Int64) -> Int { Int((nanoseconds - 1) / 1_000_000_000) + 1 }
}
