import Synchronization

/// Tells several listeners that something happened, as often as they come to look.
final class Ticks: Sendable {
    private let listeners = Mutex<[Int: AsyncStream<Void>.Continuation]>([:])
    private let next = Mutex(0)

    /// It happened.
    func tick() {
        for listener in listeners.withLock({ Array($0.values) }) { listener.yield() }
    }

    /// A listener, from now on.
    func listen() -> AsyncStream<Void> {
        let (stream, listener) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = next.withLock { next in
            next += 1
            return next
        }
        listeners.withLock { $0[number] = listener }
        listener.onTermination = { [weak self] _ in self?.listeners.withLock { $0[number] = nil } }
        return stream
    }
}
