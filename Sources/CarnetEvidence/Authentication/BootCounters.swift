internal import TPM2

/// What a TPM said about its boots and its time when it last attested.
public struct BootCounters: Sendable, Hashable {
    /// How often the TPM was reset: a new value is a new boot.
    public let resetCount: UInt32
    public let restartCount: UInt32
    /// Milliseconds of power.
    public let clock: UInt64

    /// Counters from storage.
    public init(resetCount: UInt32, restartCount: UInt32, clock: UInt64) {
        self.resetCount = resetCount
        self.restartCount = restartCount
        self.clock = clock
    }

    init(_ info: TPM.ClockInfo) {
        self.init(resetCount: info.resetCount, restartCount: info.restartCount, clock: info.clock)
    }

    /// Whether these counters can come after `earlier`. Within a boot nothing goes backwards; a new boot has a larger count, and its clock
    /// may be smaller after an unorderly power loss.
    public func canFollow(_ earlier: BootCounters) -> Bool {
        if resetCount != earlier.resetCount { return resetCount > earlier.resetCount }
        return restartCount >= earlier.restartCount && clock >= earlier.clock
    }

    /// The same, for evidence that may have waited: within this boot, older by so much is not backwards. A relying party's nonce has no
    /// lifetime that the verifier knows, and evidence for two of them may arrive in either order.
    public func allowingDelay(ofMilliseconds delay: UInt64) -> BootCounters {
        BootCounters(resetCount: resetCount, restartCount: restartCount, clock: clock - min(clock, delay))
    }
}
