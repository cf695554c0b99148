import Synchronization

/// The first of several results; later ones are left out.
final class Race: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<WebhookSender.Outcome, any Error>)
        case finished(Result<WebhookSender.Outcome, any Error>)
    }

    private let state = Mutex(State.open)

    /// A result, unless there is one already.
    func finish(_ result: Result<WebhookSender.Outcome, any Error>) {
        let waiting: CheckedContinuation<WebhookSender.Outcome, any Error>? = state.withLock { state in
            switch state {
            case .finished: return nil
            case .open:
                state = .finished(result)
                return nil
            case .waiting(let continuation):
                state = .finished(result)
                return continuation
            }
        }
        waiting?.resume(with: result)
    }

    /// The first result. Only one may wait for it.
    func value() async throws -> WebhookSender.Outcome {
        try await withCheckedThrowingContinuation { continuation in
            let finished: Result<WebhookSender.Outcome, any Error>? = state.withLock { state in
                if case .finished(let result) = state { return result }
                state = .waiting(continuation)
                return nil
            }
            if let finished { continuation.resume(with: finished) }
        }
    }
}
