public import CarnetService

/// How often local programs may ask: all calls of one user, its proofs, and all proofs together. A proof keeps the TPM busy, which has other
/// work and wears out.
public struct LocalRates: Sendable {
    private let calls: RateLimiter?
    private let proofs: RateLimiter?
    private let allProofs: RateLimiter?

    /// Rates.
    ///
    /// - Parameters:
    ///   - proofs: Of one user.
    ///   - total: How many users may use theirs up at the same time.
    public init(calls: RateLimit, proofs: RateLimit, total: Int = 4, clock: RateClock = .system) {
        self.calls = RateLimiter(calls, capacity: 1024, clock: clock)
        self.proofs = RateLimiter(proofs, capacity: 1024, clock: clock)
        let most = RateLimit.range.upperBound
        allProofs = RateLimiter(
            RateLimit(perMinute: min(most, proofs.perMinute * total), burst: min(most, proofs.burst * total)),
            capacity: 1, clock: clock)
    }

    /// Counts a call.
    ///
    /// - Throws: ``Problem``: 429.
    func admit(_ user: UInt32, _ call: LocalCall) throws(Problem) {
        let bytes = withUnsafeBytes(of: user.bigEndian) { Array($0) }
        try take(calls, RateKey(kind: 3, bytes), "This user")
        guard call == .proofs else { return }
        try take(proofs, RateKey(kind: 4, bytes), "This user")
        try take(allProofs, RateKey(kind: 5, []), "This machine")
    }

    private func take(_ limiter: RateLimiter?, _ key: RateKey, _ whose: String) throws(Problem) {
        guard let seconds = limiter?.take(key) else { return }
        throw .tooManyRequests(whose, retryAfter: seconds, cause: .clientRate)
    }
}
