internal import Synchronization

/// Remembers proofs until they are too old to be accepted again. Bounded: when it is full, it refuses.
final class ReplayCache: Sendable {
    enum Answer {
        case fresh
        case seen
        case full
    }

    private let capacity: Int
    private let entries = Mutex<[[UInt8]: Int64]>([:])

    init(capacity: Int) { self.capacity = max(capacity, 1) }

    /// Remembers `key` until `expiry`, unless it is remembered already.
    func remember(_ key: [UInt8], until expiry: Int64, at now: Int64) -> Answer {
        entries.withLock { entries in
            if let known = entries[key], known >= now { return .seen }
            if entries.count >= capacity {
                entries = entries.filter { $0.value >= now }
                guard entries.count < capacity else { return .full }
            }
            entries[key] = expiry
            return .fresh
        }
    }
}
