/// When to ask an issuer again: pure, its clock an argument.
///
/// One refresh runs at a time. A failure doubles the pause, with jitter, so that many relying parties do not come back together. A token
/// with an unknown `kid` may bring the next refresh forward, once in an interval, and never breaks a pause after a failure.
struct RefreshSchedule: Sendable {
    let limits: RefreshLimits
    private(set) var isRunning = false
    /// How many refreshes failed since the last that succeeded.
    private(set) var failures = 0
    /// When the next refresh is due, in seconds since 1970.
    private(set) var dueAt: Int64 = 0
    private var lastDemandAt: Int64?

    init(_ limits: RefreshLimits) { self.limits = limits.bounded }

    /// A clock that was ahead and is right again must not put the next refresh off for as long as it was ahead.
    private func isDue(at now: Int64) -> Bool {
        now >= dueAt || dueAt - now > max(limits.longest, limits.longestPause)
    }

    /// Whether to begin a refresh now; after `true` the caller must say how it ended.
    mutating func begin(at now: Int64) -> Bool {
        guard !isRunning, isDue(at: now) else { return false }
        isRunning = true
        return true
    }

    /// Whether a token that needs news, as one with an unknown `kid` does, begins a refresh now; after `true` the caller must say how it ended.
    mutating func beginOnDemand(at now: Int64) -> Bool {
        guard !isRunning else { return false }
        // A clock that was set back must not stop this for long.
        if let last = lastDemandAt, last <= now, now - last < limits.unknownKeyInterval { return false }
        guard failures == 0 || isDue(at: now) else { return false }
        lastDemandAt = now
        isRunning = true
        return true
    }

    /// The refresh brought what the issuer lets one keep for `seconds`, or for as long as one likes.
    mutating func succeeded(at now: Int64, keepingFor seconds: Int64?) {
        isRunning = false
        failures = 0
        dueAt = now + min(max(seconds ?? limits.longest, limits.shortest), limits.longest)
    }

    /// The refresh failed.
    ///
    /// - Parameter jitter: 0 to 1, by chance: the pause is between half and all of what has been doubled so far.
    mutating func failed(at now: Int64, jitter: Double) {
        isRunning = false
        failures = min(failures + 1, 32)
        var pause = limits.firstPause
        for _ in 1..<failures where pause < limits.longestPause { pause *= 2 }
        pause = min(pause, limits.longestPause)
        dueAt = now + max(1, pause / 2 + Int64(Double(pause - pause / 2) * min(max(jitter, 0), 1)))
    }
}
