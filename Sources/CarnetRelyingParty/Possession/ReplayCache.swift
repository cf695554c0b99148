internal import Synchronization

/// Remembers what was used once, for as long as it could be shown again. Bounded in memory and in time for each call.
///
/// What is remembered lies in two generations, by the clock: a new one begins every `span` seconds and the one before the last is let go
/// whole, so each proof is remembered for at least `span` and less than twice that, and nobody ever goes through the entries.
///
/// When memory runs short, who gets the rest? A fixed share for each key either starves the one busy key of a quiet service or fills up
/// with few keys. Here a holder may remember as much as is still free (the dynamic threshold of Choudhury and Hahne, 1998): alone, it gets
/// half of the memory; k holders that want everything end up with 1/(k + 1) each, and as much stays free. So no number of floods
/// below the capacity itself locks out a holder that remembers nothing yet. Nothing is ever displaced: that would let a proof be used twice.
///
/// A clock that jumps takes generations away before their time. The times at which their entries were made are kept instead, and whatever
/// else was made at such a time is refused: it could be one that was used.
final class ReplayCache: Sendable {
    enum Answer {
        case fresh
        case seen
        /// The holder has its share.
        case full
        /// It was made at a time whose entries have been let go.
        case forgotten
    }

    private struct Generation {
        var used: Set<TokenDigest> = []
        var counts: [TokenDigest: Int] = [:]
        /// When the entries were made.
        var times: ClosedRange<Int64>?
    }

    private struct Memory {
        /// Of ``latest``, counted in spans since 1970.
        var number: Int64 = -2
        var latest = Generation()
        var earlier = Generation()
        /// When the entries were made that have been let go.
        var forgotten = ForgottenTimes()

        /// Moves on to the generation of a time.
        mutating func advance(to number: Int64) {
            if number == self.number || number == self.number - 1 {
                // Threads read the clock before they come here: one may be a moment behind another.
                return
            }
            // After a clock was set back, generations end anew from there.
            let isFarAhead = number > self.number + 1
            forgotten.insert(earlier.times)
            if isFarAhead { forgotten.insert(latest.times) }
            earlier = isFarAhead ? Generation() : latest
            latest = Generation()
            self.number = number
        }
    }

    private let capacity: Int
    private let span: Int64
    private let memory = Mutex(Memory())

    /// - Parameters:
    ///   - capacity: How many entries are remembered at most.
    ///   - span: How long each is remembered at least, in seconds.
    init(capacity: Int, span: Int64) {
        self.capacity = max(capacity, 1)
        self.span = max(span, 1)
    }

    /// Remembers `entry`, in `holder`'s share, unless it is remembered already.
    ///
    /// - Parameter time: When the entry was made, in seconds since 1970, by what it says of itself.
    func remember(_ entry: TokenDigest, madeAt time: Int64, of holder: TokenDigest, at now: Int64) -> Answer {
        memory.withLock { memory in
            memory.advance(to: now / span)
            if memory.forgotten.contains(time) { return .forgotten }
            if memory.latest.used.contains(entry) || memory.earlier.used.contains(entry) { return .seen }
            let free = capacity - memory.latest.used.count - memory.earlier.used.count
            let held = memory.latest.counts[holder, default: 0] + memory.earlier.counts[holder, default: 0]
            guard held < free else { return .full }
            memory.latest.used.insert(entry)
            memory.latest.counts[holder, default: 0] += 1
            let times = memory.latest.times ?? time...time
            memory.latest.times = min(times.lowerBound, time)...max(times.upperBound, time)
            return .fresh
        }
    }
}
