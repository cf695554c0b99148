import CarnetRecords
import CarnetService
import TPM2

/// How often one machine may get its evidence appraised.
///
/// Only a quote that its key signed takes a token, so nobody can use up another machine's. It is looked at before the work of authentication,
/// and what is refused uses no challenge up.
struct NodeRates: Sendable {
    private let limiter: RateLimiter?
    private let metrics: RequestMetrics?

    /// No limit.
    static let none = NodeRates(.none, clock: .system, metrics: nil)

    init(_ limit: RateLimit, clock: RateClock, metrics: RequestMetrics?) {
        limiter = RateLimiter(limit, clock: clock)
        self.metrics = metrics
    }

    /// Refuses the evidence of a machine whose bucket is empty, before the work of finding out whether it is really that machine's.
    func look(_ call: LedgerEntry.Kind, _ key: TPM.Name) throws(Problem) {
        try refuse(limiter?.wait(for: Self.bucket(call, key)))
    }

    /// Takes a token for evidence that is authentic.
    func take(_ call: LedgerEntry.Kind, _ key: TPM.Name) throws(Problem) {
        try refuse(limiter?.take(Self.bucket(call, key)))
    }

    private func refuse(_ seconds: Int?) throws(Problem) {
        guard let seconds else { return }
        metrics?.refused(.nodeRate)
        throw .tooManyRequests("This machine", retryAfter: seconds, cause: .nodeRate)
    }

    /// A relying party that asks about a machine takes nothing from its passports.
    private static func bucket(_ call: LedgerEntry.Kind, _ key: TPM.Name) -> RateKey {
        RateKey(kind: call == .backgroundCheck ? 4 : 3, key.bytes)
    }
}
