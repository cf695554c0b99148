/// How long a caller waits for a verifier that asks it to come again later (`Retry-After`), and how often.
///
/// A request is sent again only when the first one has done nothing: after 429, and after 503 where it changes nothing whatever came of
/// it (GET).
public struct Patience: Sendable {
    /// How often a request is sent again.
    public var repetitions = 2
    /// How long all waits of a request may take together, in seconds. A verifier that asks for more is not waited for.
    public var seconds = 60
    /// Called before each wait, with its length in seconds and what the verifier said.
    public var onWait: @Sendable (_ seconds: Int, _ reason: String) -> Void

    /// Patience for two repetitions within a minute.
    public init(onWait: @escaping @Sendable (_ seconds: Int, _ reason: String) -> Void) { self.onWait = onWait }

    /// How long to wait before a request is sent again, which is then taken off; `nil` when it is not to be.
    mutating func wait(after failure: ServiceConnection.Failure, of method: String) -> Int? {
        guard failure.status == 429 || (failure.status == 503 && method == "GET"), let pause = failure.retryAfter,
            repetitions > 0, pause <= seconds
        else { return nil }
        let wait = max(pause, 1)
        repetitions -= 1
        seconds -= wait
        return wait
    }
}
