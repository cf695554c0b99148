import CarnetStorage
import Synchronization

/// When tokens were used last. Not every use is written, and what cannot be written stops nobody.
package final class APITokenUses: Sendable {
    /// How much later than the one that is written a use has to be, in seconds.
    package static let interval: Int64 = 600
    /// How long after an attempt the next is made, in seconds.
    private static let patience: Int64 = 60
    private let attempts = Mutex<[String: Int64]>([:])

    /// Writes a use down, if it is much later than the one that is known.
    ///
    /// - Parameter last: The use that is written, in seconds since 1970.
    package func note(_ id: String, last: Int64?, at now: Int64, _ ledger: Ledger) async {
        if let last, Self.isWithin(Self.interval, after: last, now) { return }
        let mayTry = attempts.withLock { attempts in
            if let attempt = attempts[id], Self.isWithin(Self.patience, after: attempt, now) { return false }
            // Old attempts mean nothing any more.
            if attempts.count >= 1024 { attempts.removeAll() }
            attempts[id] = now
            return true
        }
        guard mayTry else { return }
        try? await ledger.change(at: now) { connection in
            try connection.execute("UPDATE api_tokens SET last_used_at = \(now) WHERE id = \(id)")
            return .unremarkable(())
        }
    }

    /// Whether `now` is not before a time and at most some seconds later. The time may be any number: it is a row's.
    private static func isWithin(_ seconds: Int64, after time: Int64, _ now: Int64) -> Bool {
        let (difference, overflows) = now.subtractingReportingOverflow(time)
        return !overflows && (0...seconds).contains(difference)
    }
}
