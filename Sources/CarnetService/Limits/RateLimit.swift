/// How often somebody may ask: a bucket of `burst` tokens, into which `perMinute` flow. Each request takes one.
public struct RateLimit: Sendable, Hashable {
    /// Tokens in a minute: 1 to 1,000,000; 0 for no limit.
    public var perMinute: Int
    /// The most tokens in the bucket: 1 to 1,000,000.
    public var burst: Int

    /// A limit.
    public init(perMinute: Int, burst: Int) {
        self.perMinute = perMinute
        self.burst = burst
    }

    /// What both numbers may be.
    public static let range = 0...1_000_000

    /// No limit.
    public static let none = RateLimit(perMinute: 0, burst: 1)

    /// From one token to the next, in nanoseconds.
    var interval: Int64 { 60_000_000_000 / Int64(min(max(perMinute, 1), Self.range.upperBound)) }
    /// From an empty bucket to a full one, in nanoseconds: below 2⁵⁶.
    var depth: Int64 { interval * Int64(min(max(burst, 1), Self.range.upperBound)) }
}
