/// How long a node may be without a valid passport, and how many may lose their place at once. Times in seconds.
package struct TaintLimits: Sendable, Hashable {
    /// From the end of a passport to the taint `NoSchedule`.
    package var lapseGrace: Int64 = 600
    /// From the end of a passport to the taint `NoExecute`.
    package var evictAfter: Int64 = 3600
    /// From the taint `NoSchedule` of a node that was refused to `NoExecute`.
    package var refusalGrace: Int64 = 300
    /// How long after it was made a node that never showed a passport counts as new.
    package var newNodeAge: Int64 = 3600
    /// The most nodes with the taint, in percent of those that count; one at least.
    package var maximumTaintedPercent = 20

    /// The limits as they are meant for production.
    package init() {}

    /// How many of so many nodes may have the taint.
    package func most(of count: Int) -> Int { max(1, count * min(max(maximumTaintedPercent, 0), 100) / 100) }
}
