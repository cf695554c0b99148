internal import Foundation

/// The clocks of a ``PassportKeeper``.
public struct KeeperClock: Sendable {
    /// Milliseconds of a clock that nobody sets and that goes on while the machine sleeps.
    public var monotonic: @Sendable () -> Int64
    /// The machine's calendar in seconds since 1970, which may be wrong.
    public var calendar: @Sendable () -> Int64
    /// A number from 0 up to 1.
    public var jitter: @Sendable () -> Double
    /// Waits for so many milliseconds of the clock ``monotonic``, and throws when the task is cancelled.
    public var sleep: @Sendable (_ milliseconds: Int64) async throws -> Void

    /// Clocks, and chance.
    public init(
        monotonic: @escaping @Sendable () -> Int64, calendar: @escaping @Sendable () -> Int64,
        jitter: @escaping @Sendable () -> Double,
        sleep: @escaping @Sendable (_ milliseconds: Int64) async throws -> Void = {
            try await Task.sleep(for: .milliseconds($0))
        }
    ) {
        self.monotonic = monotonic
        self.calendar = calendar
        self.jitter = jitter
        self.sleep = sleep
    }

    /// `CLOCK_BOOTTIME`, the system's calendar, and the system's random numbers.
    public static let system = KeeperClock(
        monotonic: {
            var time = timespec()
            clock_gettime(CLOCK_BOOTTIME, &time)
            return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        }, calendar: { Int64(Date().timeIntervalSince1970) }, jitter: { Double.random(in: 0..<1) })
}
