public import CoreMetrics
import Synchronization

/// Keeps the numbers of the families that were announced: a backend of swift-metrics that is handed on, never bootstrapped for the whole
/// process, so that nothing is counted that nobody wrote down.
public final class MetricRegistry: MetricsFactory, Sendable {
    /// The families, in the order in which they are shown.
    public let families: [MetricFamily]
    private let indices: [String: Int]
    private let series: Mutex<[[[String]: MetricSeries]]>

    /// A registry that knows these families. Of two with one name the first counts.
    public init(_ families: [MetricFamily]) {
        self.families = families
        indices = Dictionary(families.enumerated().map { ($1.name, $0) }) { first, _ in first }
        series = Mutex(families.map { _ in [:] })
    }

    /// What counts under a name and with these labels; nothing does when the family was not announced, has other labels, is of another kind
    /// or has as many series as it may have.
    private func find(
        _ label: String, _ dimensions: [(String, String)], _ isKind: (MetricFamily.Kind) -> Bool
    ) -> MetricSeries? {
        guard let index = indices[label] else { return nil }
        let family = families[index]
        guard isKind(family.kind), dimensions.map(\.0) == family.labels else { return nil }
        let values = dimensions.map(\.1)
        return series.withLock { all in
            if let known = all[index][values] { return known }
            guard all[index].count < family.maximumSeriesCount else { return nil }
            let new = MetricSeries(family, labels: values)
            all[index][values] = new
            return new
        }
    }

    /// Every family with its series, ordered by their labels.
    func snapshot() -> [(family: MetricFamily, series: [MetricSeries])] {
        let all = series.withLock(\.self)
        return zip(families, all).map { family, series in
            (family, series.values.sorted { $0.labels.lexicographicallyPrecedes($1.labels) })
        }
    }

    /// A counter of an announced family.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions) { $0 == .counter } ?? NOOPMetricsHandler.instance
    }

    /// A gauge of an announced family.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions) { $0 == .gauge } ?? NOOPMetricsHandler.instance
    }

    /// A gauge of an announced family; nothing here aggregates.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        find(label, dimensions) { $0 == .gauge && !aggregate } ?? NOOPMetricsHandler.instance
    }

    /// A histogram of an announced family.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions) { if case .histogram = $0 { true } else { false } } ?? NOOPMetricsHandler.instance
    }

    /// Series last as long as their process.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// Series last as long as their process.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// Series last as long as their process.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// Series last as long as their process.
    public func destroyTimer(_ handler: any TimerHandler) {}
}
