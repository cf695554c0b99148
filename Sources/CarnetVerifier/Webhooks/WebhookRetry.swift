/// When a message is sent again: a value without a clock and without chance, which are arguments.
struct WebhookRetry: Sendable, Hashable {
    /// After the first failure, in seconds; each further one doubles it.
    static let firstDelay: Int64 = 5
    /// The longest pause, in seconds.
    static let longestDelay: Int64 = 4 * 3600
    /// How often a message is sent at most.
    static let maximumAttempts: Int64 = 30
    /// How old a message may be when it is sent again, in seconds: three days.
    static let maximumAge: Int64 = 3 * 86_400

    /// How often it was sent.
    let attempts: Int64
    /// When what it tells happened, in seconds since 1970.
    let createdAt: Int64

    /// What comes next.
    enum Step: Sendable, Hashable {
        /// It arrived.
        case delivered
        /// It is sent again, not before this time, in seconds since 1970.
        case again(at: Int64)
        /// It is not sent again.
        case giveUp(Reason)
    }

    /// Why a message is not sent again.
    enum Reason: String, Sendable, Hashable, CaseIterable {
        /// It was sent as often as may be.
        case attempts
        /// It is too old.
        case age
        /// So many waited that the oldest had to go.
        case overflow
    }

    /// What comes after one more attempt.
    ///
    /// The pause is half certain and half chance, so that what failed together does not come again together.
    ///
    /// - Parameters:
    ///   - isDelivered: Whether the receiver answered with 2xx.
    ///   - retryAfter: What the receiver asked for, in seconds; bounded by ``longestDelay``, and it never makes the pause shorter.
    ///   - now: Seconds since 1970.
    ///   - jitter: From 0 to 1.
    func after(isDelivered: Bool, retryAfter: Int64? = nil, at now: Int64, jitter: Double) -> Step {
        if isDelivered { return .delivered }
        guard attempts + 1 < Self.maximumAttempts else { return .giveUp(.attempts) }
        let delay = Self.delay(attempt: attempts, jitter: jitter)
        let next = now + max(delay, min(max(retryAfter ?? 0, 0), Self.longestDelay))
        // A clock that was set back makes a message look young, never old.
        guard next - createdAt <= Self.maximumAge else { return .giveUp(.age) }
        return .again(at: next)
    }

    /// The pause after an attempt, counted from 0.
    static func delay(attempt: Int64, jitter: Double) -> Int64 {
        let exponent = min(max(attempt, 0), 16)
        let whole = min(firstDelay << exponent, longestDelay)
        let part = Double(whole) / 2 * (1 + min(max(jitter, 0), 1))
        return max(1, Int64(part.rounded()))
    }
}

/// How a receiver has answered lately, whatever the message: after some failures in a row everything for it waits a little, so that one that is
/// down is not asked for each machine anew.
struct ReceiverState: Sendable, Hashable {
    /// From how many failures in a row on a receiver counts as failing.
    static let failingFrom: Int64 = 3
    /// The longest pause, in seconds: when the receiver is back, it learns of everything within this time.
    static let longestPause: Int64 = 60

    /// Failures in a row.
    private(set) var failures: Int64 = 0
    /// When the first of them was, in seconds since 1970.
    private(set) var failingSince: Int64?
    /// Nothing is sent before this time, in seconds since 1970.
    private(set) var resumesAt: Int64 = 0
    /// When it last took a message.
    private(set) var lastSuccessAt: Int64?

    /// A receiver that was never asked.
    init() {}

    /// A receiver as it is remembered.
    init(failures: Int64, failingSince: Int64?, resumesAt: Int64, lastSuccessAt: Int64?) {
        self.failures = failures
        self.failingSince = failingSince
        self.resumesAt = resumesAt
        self.lastSuccessAt = lastSuccessAt
    }

    /// Whether it counts as failing.
    var isFailing: Bool { failures >= Self.failingFrom }

    /// It was asked.
    mutating func answered(isDelivered: Bool, at now: Int64) {
        guard !isDelivered else {
            self = ReceiverState(failures: 0, failingSince: nil, resumesAt: 0, lastSuccessAt: now)
            return
        }
        failures = min(failures + 1, 1 << 20)
        failingSince = failingSince ?? now
        let exponent = failures - Self.failingFrom
        resumesAt = exponent < 0 ? 0 : now + min(Int64(1) << min(exponent, 16), Self.longestPause)
    }
}
