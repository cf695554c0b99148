import HTTPTypes

/// The rates of a service's callers: of each address, and of each API token.
///
/// A call takes a token from its address's bucket before anything else is looked at. When its credential proves good, the token's own
/// bucket pays instead, so that callers with credentials do not stand in for others behind one address; guessing credentials costs whoever guesses.
struct ClientRates: Sendable {
    private let addresses: RateLimiter?
    private let tokens: RateLimiter?
    private let metrics: RequestMetrics?

    init(_ limit: RateLimit, clock: RateClock, metrics: RequestMetrics?) {
        addresses = RateLimiter(limit, clock: clock)
        tokens = RateLimiter(limit, clock: clock)
        self.metrics = metrics
    }

    /// A call has come from an address.
    func admit(_ address: IPAddress?) throws(Problem) {
        guard let seconds = addresses?.take(RateKey(address)) else { return }
        metrics?.refused(.clientRate)
        throw .tooManyRequests("This address", retryAfter: seconds, cause: .clientRate)
    }

    /// Its credential is good.
    func admit(_ principal: Principal, from address: IPAddress?) throws(Problem) {
        if let seconds = tokens?.take(RateKey(principal)) {
            metrics?.refused(.tokenRate)
            throw .tooManyRequests("This API token", retryAfter: seconds, cause: .tokenRate)
        }
        addresses?.giveBack(RateKey(address))
    }
}

extension Problem {
    /// Somebody asks too often. Nothing was used up.
    ///
    /// - Parameter whose: Who asks: `This address`, as a sentence begins.
    public static func tooManyRequests(_ whose: String, retryAfter seconds: Int, cause: Refusal) -> Problem {
        Problem(
            "too-many-requests", .tooManyRequests, title: "Too many requests",
            detail:
                "\(whose) asks more often than it may. Nothing was used up: wait \(seconds) seconds, then send it again.",
            headers: [.retryAfter: String(seconds)], cause: cause.rawValue)
    }
}
