/// How often an attester asks its verifier. All of it is in seconds.
public struct RenewalPace: Sendable, Hashable {
    /// From the beginning of one attestation to that of the next, whatever happens meanwhile; half of the passport's lifetime where that is
    /// shorter and all goes well.
    public var floor: Int64
    /// The same for an attestation whose only reason is that the kernel measured more files.
    public var growthFloor: Int64
    /// The longest first pause after a failure. Each further one doubles it.
    public var firstPause: Int64 = 5
    /// The longest pause after failures, however many.
    public var longestPause: Int64 = 300
    /// The longest first pause after a refusal. Each further one doubles it, up to ``longestPause``.
    public var firstRefusalPause: Int64 = 30
    /// The longest pause while an operator has not yet approved the machine.
    public var longestPendingPause: Int64 = 60
    /// The longest pause that a verifier may ask for (`Retry-After`).
    public var longestRetryAfter: Int64 = 900
    /// Over how long machines that start together spread their first request.
    public var startSpread: Int64 = 2

    /// What ``floor`` and ``growthFloor`` may be.
    public static let range: ClosedRange<Int64> = 1...3600

    /// A pace; what lies outside of ``range`` is moved into it.
    public init(floor: Int64 = 15, growthFloor: Int64 = 60) {
        func within(_ seconds: Int64) -> Int64 {
            min(max(seconds, Self.range.lowerBound), Self.range.upperBound)
        }
        self.floor = within(floor)
        self.growthFloor = max(within(growthFloor), within(floor))
    }
}
