@testable import CarnetService
import Testing

/// A table that can be asked inside of an expectation.
private final class Table {
    private var table: RateTable

    init(_ limit: RateLimit, capacity: Int) { table = RateTable(limit, capacity: capacity) }

    var count: Int { table.count }
    var reservedCount: Int { table.reservedCount }
    func take(_ key: RateKey, at now: Int64) -> Int64? { table.take(key, at: now) }
    func giveBack(_ key: RateKey) { table.giveBack(key) }
}

/// Ten tokens, and one a second.
@Suite struct RateTableTests {
    private static let second: Int64 = 1_000_000_000
    private static let limit = RateLimit(perMinute: 60, burst: 10)

    private static func key(_ number: Int) -> RateKey {
        RateKey(IPAddress(high: 0x2001_0db8 << 32 | UInt64(number), low: 0))
    }

    /// How many tokens a caller gets now, at most a thousand.
    private static func drain(_ table: Table, _ number: Int, at now: Int64) -> Int {
        (0..<1000).first { _ in table.take(key(number), at: now) != nil } ?? 1000
    }

    @Test("As many as the bucket holds at once, then one for each interval, and no more after a long silence")
    func rate() {
        let table = Table(Self.limit, capacity: 100)
        #expect(Self.drain(table, 1, at: 0) == 10)
        #expect(table.take(Self.key(1), at: 0) == Self.second)
        #expect(table.take(Self.key(1), at: Self.second - 1) == 1)
        #expect(table.take(Self.key(1), at: Self.second) == nil)
        #expect(Self.drain(table, 1, at: 4 * Self.second) == 3)
        #expect(Self.drain(table, 1, at: 4000 * Self.second) == 10)
    }

    @Test("One caller's bucket is nobody else's") func others() {
        let table = Table(Self.limit, capacity: 100)
        #expect(Self.drain(table, 1, at: 0) == 10 && Self.drain(table, 2, at: 0) == 10)
    }

    @Test("A token that is given back can be taken again, and no bucket overflows") func giveBack() {
        let table = Table(Self.limit, capacity: 100)
        _ = Self.drain(table, 1, at: 0)
        table.giveBack(Self.key(1))
        #expect(Self.drain(table, 1, at: 0) == 1)
        for _ in 0..<50 { table.giveBack(Self.key(1)) }
        table.giveBack(Self.key(2))
        #expect(Self.drain(table, 1, at: 0) == 10 && table.count == 1)
    }

    @Test("An empty bucket is not filled by pushing its owner out of a full table") func reset() {
        let table = Table(Self.limit, capacity: 50)
        #expect(Self.drain(table, 0, at: 0) == 10)
        // The same client under a thousand other names, each with a call that is let in or not.
        var taken = 0
        for number in 1...1000 where table.take(Self.key(number), at: 0) == nil { taken += 1 }
        #expect(table.take(Self.key(0), at: 0) != nil)
        // All names together get no more than the places hold, however they take turns.
        for round in 0..<20 {
            for number in 0...(60 + round) where table.take(Self.key(number), at: 0) == nil { taken += 1 }
        }
        #expect(taken <= 49 * 10)
        #expect(table.count == 50)
    }

    @Test("Two who push each other out of a full table are counted all the same") func takingTurns() {
        let table = Table(Self.limit, capacity: 8)
        for number in 0..<8 { for _ in 0..<3 { _ = table.take(Self.key(number), at: 0) } }
        let taken = (0..<1000).count(where: { table.take(Self.key(100 + $0 % 2), at: 0) == nil })
        #expect(taken <= 8 * 7)
    }

    @Test("A stranger comes into a full table, and loses no more than its places' share of what was taken")
    func stranger() {
        let table = Table(Self.limit, capacity: 1000)
        // 3000 tokens in a thousand places: three each.
        for number in 0..<3000 { _ = table.take(Self.key(number), at: 0) }
        #expect(table.count == 1000)
        #expect(Self.drain(table, 99_999, at: 0) >= 7)
        // Buckets that have filled make room without a trace.
        #expect(Self.drain(table, 99_998, at: 10 * Self.second) == 10)
    }

    @Test("A million distinct clients take no more memory than the table has places, and each is let in") func million()
    {
        let table = Table(RateLimit(perMinute: 6000, burst: 3000), capacity: RateLimiter.capacity)
        for number in 0..<70_000 { _ = table.take(Self.key(number), at: 0) }
        var refused = 0
        for number in 70_000..<1_000_000 where table.take(Self.key(number), at: Int64(number)) != nil { refused += 1 }
        #expect(refused == 0)
        #expect(table.count == RateLimiter.capacity)
        #expect(table.reservedCount < 3 * RateLimiter.capacity)
    }

    @Test("No rate is no limit, and seconds are rounded up") func limiter() throws {
        #expect(RateLimiter(.none) == nil)
        let limiter = try #require(RateLimiter(RateLimit(perMinute: 40, burst: 1), clock: RateClock { 5 }))
        #expect(limiter.wait(for: Self.key(1)) == nil && limiter.take(Self.key(1)) == nil)
        #expect(limiter.take(Self.key(1)) == 2 && limiter.wait(for: Self.key(1)) == 2)
    }

    @Test(
        "The widest limits overflow nothing",
        arguments: [
            RateLimit(perMinute: 1, burst: 1_000_000), RateLimit(perMinute: .max, burst: .max),
            RateLimit(perMinute: .min, burst: .min),
        ])
    func extremes(_ limit: RateLimit) {
        let table = Table(limit, capacity: 0)
        for number in 0..<1000 { _ = table.take(Self.key(number % 3), at: Int64.max / 4) }
        #expect(table.count == 1)
    }
}
