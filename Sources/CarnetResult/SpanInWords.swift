/// A span of time for people.
package enum Span {
    /// A number of seconds in the largest unit of which it has two at least, rounded down: `8 days`, `25 hours`, `90 seconds`.
    package static func words(_ seconds: Int64) -> String {
        for (unit, name) in [(86_400, "days"), (3600, "hours"), (60, "minutes")] as [(Int64, String)]
        where seconds / unit >= 2 {
            return "\(seconds / unit) \(name)"
        }
        return seconds == 1 ? "1 second" : "\(seconds) seconds"
    }
}
