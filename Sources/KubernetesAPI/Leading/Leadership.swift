import Synchronization

/// That this process leads, for as long as it does: who writes asks before each write.
///
/// It ends by itself: when the lease could not be renewed until its deadline, whatever else is under way, ``check()`` throws. The deadline
/// is well before the end of the lease, so that a write that began before it is over when another may begin.
package final class Leadership: Sendable {
    private let deadline: Mutex<ContinuousClock.Instant>
    private let now: @Sendable () -> ContinuousClock.Instant

    /// This process does not lead, or no longer.
    package struct Lost: Error, CustomStringConvertible {
        package let description = "this replica does not lead"
    }

    init(until deadline: ContinuousClock.Instant, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        self.deadline = Mutex(deadline)
        self.now = now
    }

    /// Whether this process leads.
    package var holds: Bool { now() < deadline.withLock(\.self) }

    /// - Throws: ``Lost`` when this process leads no longer.
    package func check() throws(Lost) {
        guard holds else { throw Lost() }
    }

    /// The lease was renewed. What ended stays ended: who asked meanwhile was told so, and let go of its work.
    ///
    /// - Returns: Whether this process leads on.
    func extend(to next: ContinuousClock.Instant) -> Bool {
        deadline.withLock { deadline in
            guard now() < deadline else { return false }
            deadline = max(deadline, next)
            return true
        }
    }
    func end() { deadline.withLock { $0 = min($0, now()) } }
}
