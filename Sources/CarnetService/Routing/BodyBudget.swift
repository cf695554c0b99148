import Synchronization

/// How many bytes of bodies may be in memory at once, for all requests together. Only bytes that arrived are counted, so
/// that announcing many costs a caller as much as it costs the service.
final class BodyBudget: Sendable {
    private let limit: Int
    private let used = Mutex(0)

    init(_ limit: Int) { self.limit = limit }

    /// Counts bytes that arrived; `false` when there is no room for them.
    func take(_ count: Int) -> Bool {
        used.withLock { used in
            guard count <= limit - used else { return false }
            used += count
            return true
        }
    }

    /// Gives bytes back when their request was answered.
    func giveBack(_ count: Int) { used.withLock { $0 -= count } }
}
