/// Two ways of doing the same work, timed in turn in one run, so that a slow machine slows both.
struct Comparison {
    let name: String
    /// The ratio that must not be exceeded, and why it is what it is.
    let bar: Double
    let baselineName: String
    let baseline: () -> Void
    let measured: () -> Void
    /// A fixed limit in microseconds, in the place of a baseline that is timed.
    let limit: Double?

    init(
        name: String, bar: Double, baselineName: String, baseline: @escaping () -> Void,
        measured: @escaping () -> Void
    ) {
        (self.name, self.bar, self.baselineName) = (name, bar, baselineName)
        (self.baseline, self.measured, limit) = (baseline, measured, nil)
    }

    /// An operation that is held against a limit of so many microseconds.
    init(name: String, bar: Double, baselineName: String, limit: Double, measured: @escaping () -> Void) {
        (self.name, self.bar, self.baselineName) = (name, bar, baselineName)
        (baseline, self.measured, self.limit) = ({}, measured, limit)
    }

    struct Result {
        let name: String
        let bar: Double
        let baselineName: String
        /// Microseconds per operation, medians over the rounds.
        let baseline: Double
        let measured: Double
        /// The median of the ratios, round by round.
        let ratio: Double
        var meetsBar: Bool { ratio <= bar }
    }

    /// Runs both in `rounds` alternating rounds of about `roundDuration` each.
    func run(rounds: Int = 31, roundDuration: Duration = .milliseconds(20)) -> Result {
        let baselineCount = limit == nil ? Self.operations(in: roundDuration, baseline) : 0
        let measuredCount = Self.operations(in: roundDuration, measured)
        var baselines: [Double] = []
        var measurements: [Double] = []
        for _ in 0..<rounds {
            baselines.append(limit ?? Self.microseconds(baselineCount, baseline))
            measurements.append(Self.microseconds(measuredCount, measured))
        }
        return Result(
            name: name, bar: bar, baselineName: baselineName, baseline: Self.median(baselines),
            measured: Self.median(measurements), ratio: Self.median(zip(measurements, baselines).map { $0 / $1 }))
    }

    /// Microseconds per operation over `count` operations.
    static func microseconds(_ count: Int, _ operation: () -> Void) -> Double {
        let start = ContinuousClock.now
        for _ in 0..<count { operation() }
        let elapsed = ContinuousClock.now - start
        return elapsed / .microseconds(1) / Double(count)
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
