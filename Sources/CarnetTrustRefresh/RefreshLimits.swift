/// How often an issuer is asked, in seconds. Every bound holds whatever the issuer's answers and anybody's tokens say.
public struct RefreshLimits: Sendable, Hashable {
    /// The least time between two successful refreshes, also where the issuer allows none in between.
    public var shortest: Int64 = 30
    /// The longest, also where the issuer's answers may be kept for longer.
    public var longest: Int64 = 3600
    /// The first pause after a failure; it doubles with every further one, up to ``longestPause``.
    public var firstPause: Int64 = 2
    /// The longest pause after failures.
    public var longestPause: Int64 = 300
    /// Tokens with an unknown `kid`, or on a list that is not at hand, cause at most one refresh in this time.
    public var unknownKeyInterval: Int64 = 60
    /// How long one refresh may take, with everything that it fetches; a passport waits no longer than that.
    public var deadline: Int64 = 60
    /// How many passports may wait for a refresh at once; the next one is refused without waiting.
    public var maximumWaiters = 1024
    /// For how long keys count that could not be fetched again. A bundle has its own times.
    public var maximumKeyAge: Int64 = 86_400

    /// Half a minute to an hour; pauses of 2 seconds to 5 minutes; a minute for each refresh, and a day for keys.
    public init() {}

    /// The limits, in order and above zero.
    var bounded: RefreshLimits {
        var bounded = self
        bounded.shortest = min(max(shortest, 1), 86_400)
        bounded.longest = min(max(longest, bounded.shortest), 86_400)
        bounded.firstPause = min(max(firstPause, 1), 3600)
        bounded.longestPause = min(max(longestPause, bounded.firstPause), 86_400)
        bounded.unknownKeyInterval = min(max(unknownKeyInterval, 1), 86_400)
        bounded.deadline = min(max(deadline, 1), 3600)
        bounded.maximumWaiters = max(maximumWaiters, 0)
        bounded.maximumKeyAge = min(max(maximumKeyAge, bounded.longest), 31_622_400)
        return bounded
    }
}
