package import CarnetService
import Synchronization

/// A clock of rates that stands still until the test moves it on.
package final class SettableRateClock: Sendable {
    private let nanoseconds = Mutex<Int64>(1_000_000_000_000)

    /// A clock.
    package init() {}

    /// What a service reads.
    package var clock: RateClock { RateClock { self.nanoseconds.withLock(\.self) } }

    /// Moves it on.
    package func advance(by seconds: Double) { nanoseconds.withLock { $0 += Int64(seconds * 1_000_000_000) } }
}
