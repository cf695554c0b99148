/// One metric as it is announced: its name, what it counts, and the labels that its series have.
///
/// A family is written down before anything is counted. What is not written down is not counted, so that no library and no caller adds a
/// name, and every label has a bounded number of values.
public struct MetricFamily: Sendable, Hashable {
    /// What kind of number it is.
    public enum Kind: Sendable, Hashable {
        /// Only ever grows.
        case counter
        /// Goes up and down.
        case gauge
        /// How many durations were at most so long. The bounds are in seconds and ascend.
        case histogram([Double])
    }

    /// The name, as `[a-z_]+` with its unit.
    public let name: String
    /// What it counts, for people.
    public let help: String
    /// What kind of number it is.
    public let kind: Kind
    /// The labels of each series, in the order in which they are written.
    public let labels: [String]
    /// The most series; more are not counted.
    public let maximumSeriesCount: Int

    /// A family.
    public init(
        _ name: String, _ kind: Kind, labels: [String] = [], upTo maximumSeriesCount: Int = 1, _ help: String
    ) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.maximumSeriesCount = maximumSeriesCount
        self.help = help
    }

    /// Bounds for what a caller waits for, in seconds: half a millisecond to twenty seconds.
    public static let durations: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20,
    ]
}
