/// Ranges of seconds, at most eight of them: the two that lie closest together become one when there would be more.
struct ForgottenTimes {
    private(set) var ranges: [ClosedRange<Int64>] = []

    static let maximumCount = 8

    func contains(_ time: Int64) -> Bool { ranges.contains { $0.contains(time) } }

    /// Adds a range, and joins those that touch or overlap.
    mutating func insert(_ range: ClosedRange<Int64>?) {
        guard let range else { return }
        var joined: [ClosedRange<Int64>] = []
        for next in (ranges + [range]).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, next.lowerBound <= last.upperBound {
                joined[joined.count - 1] = last.lowerBound...max(last.upperBound, next.upperBound)
            } else {
                joined.append(next)
            }
        }
        if joined.count > Self.maximumCount { Self.joinClosest(&joined) }
        ranges = joined
    }

    private static func joinClosest(_ ranges: inout [ClosedRange<Int64>]) {
        let gaps = zip(ranges, ranges.dropFirst()).map { $1.lowerBound - $0.upperBound }
        guard let least = gaps.min(), let index = gaps.firstIndex(of: least) else { return }
        ranges[index] = ranges[index].lowerBound...ranges[index + 1].upperBound
        ranges.remove(at: index + 1)
    }
}
