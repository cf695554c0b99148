import Glibc

/// Two ways of doing the same work, timed in turn in one run, so that a slow machine slows both.
struct Comparison {
    let name: String
    /// The ratio that must not be exceeded; `nil` for what is only told.
    let bar: Double?
    let baselineName: String
    let baseline: () -> Void
    let measured: () -> Void
    /// A part of `measured` that is not in question: timed in the same rounds, and taken off.
    var apart: (() -> Void)?
    /// A fixed limit in microseconds, in the place of a baseline that is timed.
    let limit: Double?

    /// - Parameter bar: `nil` for what is only told.
    init(
        name: String, bar: Double?, baselineName: String, baseline: @escaping () -> Void,
        measured: @escaping () -> Void, apart: (() -> Void)? = nil
    ) {
        (self.name, self.bar, self.baselineName) = (name, bar, baselineName)
        (self.baseline, self.measured, self.apart, limit) = (baseline, measured, apart, nil)
    }

    /// An operation that is held against a limit of so many microseconds.
    init(name: String, bar: Double, baselineName: String, limit: Double, measured: @escaping () -> Void) {
        (self.name, self.bar, self.baselineName) = (name, bar, baselineName)
        (baseline, self.measured, self.limit) = ({}, measured, limit)
    }

    struct Result {
        let name: String
        let bar: Double?
        let baselineName: String
        /// Microseconds per operation, medians over the rounds.
        let baseline: Double
        let measured: Double
        /// The median of the ratios, round by round.
        let ratio: Double
        var meetsBar: Bool { bar.map { ratio <= $0 } ?? true }
    }

    /// Runs both in `rounds` alternating rounds of about `roundDuration` each.
    func run(rounds: Int = 31, roundDuration: Duration = .milliseconds(20)) -> Result {
        let baselineCount = limit == nil ? Self.operations(in: roundDuration, baseline) : 0
        let measuredCount = Self.operations(in: roundDuration, measured)
        let apartCount = apart.map { Self.operations(in: roundDuration, $0) } ?? 0
        var baselines: [Double] = []
        var measurements: [Double] = []
        for _ in 0..<rounds {
            baselines.append(limit ?? Self.microseconds(baselineCount, baseline))
            let whole = Self.microseconds(measuredCount, measured)
            measurements.append(whole - (apart.map { Self.microseconds(apartCount, $0) } ?? 0))
        }
        return Result(
            name: name, bar: bar, baselineName: baselineName, baseline: Self.median(baselines),
            measured: Self.median(measurements), ratio: Self.median(zip(measurements, baselines).map { $0 / $1 }))
    }

    /// Microseconds of this thread on a processor per operation, over `count` operations: what others do on the machine meanwhile counts
    /// as little as it can.
    static func microseconds(_ count: Int, _ operation: () -> Void) -> Double {
        let start = processorTime()
        for _ in 0..<count { operation() }
        return (processorTime() - start) / Double(max(count, 1))
    }

    private static func processorTime() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return Double(now.tv_sec) * 1e6 + Double(now.tv_nsec) / 1e3
    }

    private static func operations(in duration: Duration, _ operation: () -> Void) -> Int {
        _ = microseconds(3, operation)
        let one = max(microseconds(20, operation), 0.01)
        return max(1, Int(duration / .microseconds(1) / one))
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}
