import CoreMetrics

extension MetricRegistry {
    /// Counts one more.
    public func count(_ name: String, _ labels: [(String, String)] = []) {
        Counter(label: name, dimensions: labels, factory: self).increment()
    }

    /// Shows a number as it is now.
    public func set(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        Meter(label: name, dimensions: labels, factory: self).set(value)
    }

    /// Moves a number up or down.
    public func add(_ name: String, _ amount: Double, _ labels: [(String, String)] = []) {
        Meter(label: name, dimensions: labels, factory: self).increment(by: amount)
    }

    /// Adds a duration.
    public func time(_ name: String, _ duration: Duration, _ labels: [(String, String)] = []) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let nanoseconds =
            overflows ? Int64.max : whole.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
        Timer(label: name, dimensions: labels, factory: self).recordNanoseconds(nanoseconds)
    }

    /// Makes a series before anything happened, so that the first time is seen as a rise and not as a beginning.
    public func begin(_ name: String, _ labels: [(String, String)] = []) {
        Counter(label: name, dimensions: labels, factory: self).increment(by: 0)
    }
}
