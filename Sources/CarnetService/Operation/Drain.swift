import Synchronization

/// Whether a service is about to stop: it still answers, and says to whoever asks `readyz` that nothing more should come.
public final class Drain: Sendable {
    private let begun = Mutex(false)

    /// A service that goes on.
    public init() {}

    /// Whether the service is about to stop.
    public var isBegun: Bool { begun.withLock(\.self) }

    /// From now on it is. There is no way back.
    func begin() { begun.withLock { $0 = true } }
}
