import Synchronization

/// What somebody has for a while: given back when they say so, at the latest with its last reference, and once.
final class Lease: Sendable {
    private let end: Mutex<(@Sendable () -> Void)?>

    /// A lease; `end` is what giving it back means.
    init(_ end: @escaping @Sendable () -> Void) { self.end = Mutex(end) }

    /// Lets the next go on.
    func giveBack() {
        let end = end.withLock { end in
            defer { end = nil }
            return end
        }
        end?()
    }

    deinit { giveBack() }
}
