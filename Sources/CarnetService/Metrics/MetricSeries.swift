import CoreMetrics
import Synchronization

/// The numbers of one series. One class for all kinds: what a family's kind does not have is never called.
final class MetricSeries: CounterHandler, MeterHandler, RecorderHandler, TimerHandler, Sendable {
    /// The values of the family's labels.
    let labels: [String]
    private let bounds: [Double]
    private let state: Mutex<Numbers>

    /// What a scrape sees.
    struct Numbers: Sendable {
        /// A counter's or a gauge's value; the sum of a histogram, in seconds.
        var value: Double = 0
        /// How many durations there were.
        var count: UInt64 = 0
        /// How many were at most as long as each bound, and longer than the one before.
        var buckets: [UInt64]
    }

    init(_ family: MetricFamily, labels: [String]) {
        self.labels = labels
        bounds = if case .histogram(let bounds) = family.kind { bounds } else { [] }
        state = Mutex(Numbers(buckets: [UInt64](repeating: 0, count: bounds.count)))
    }

    /// The numbers now.
    var numbers: Numbers { state.withLock(\.self) }

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        state.withLock { $0.value += Double(amount) }
    }

    /// Counters begin again with their process only.
    func reset() {}

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0.value = value } }
    func increment(by amount: Double) { state.withLock { $0.value += amount } }
    func decrement(by amount: Double) { state.withLock { $0.value -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(max(0, duration)) / 1_000_000_000
        state.withLock { numbers in
            numbers.value += seconds
            numbers.count &+= 1
            if let index = bounds.firstIndex(where: { seconds <= $0 }) { numbers.buckets[index] &+= 1 }
        }
    }
}
