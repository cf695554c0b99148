/// How long to wait after a failure: twice as long after each, with chance in it, so that many do not come back together.
package struct Pause: Sendable {
    private let first: Duration
    private let longest: Duration
    private var failures = 0

    /// Pauses from `first` to `longest`.
    package init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
    }

    /// The next pause: between half and all of what has been doubled so far.
    ///
    /// - Parameter seconds: What the server asked for.
    package mutating func next(atLeast seconds: Int? = nil) -> Duration {
        var pause = first
        for _ in 0..<failures where pause < longest { pause *= 2 }
        failures = min(failures + 1, 32)
        let chosen = min(pause, longest) * Double.random(in: 0.5...1)
        return max(chosen, .seconds(seconds ?? 0))
    }

    /// Something succeeded: the next pause is the first again.
    package mutating func reset() { failures = 0 }
}
