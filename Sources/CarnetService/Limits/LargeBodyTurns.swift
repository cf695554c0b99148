import Synchronization

/// Large bodies take turns: reading one takes some times its own size in memory, so that only so many bytes of them are worked on at once,
/// in the order in which they were complete. Ordinary bodies do not stand in this line.
///
/// It is before any ``WorkQueue``, so that whoever waits here holds no place there.
final class LargeBodyTurns: Sendable {
    private enum Answer { case go, late, cancelled }

    private struct State {
        var weight = 0
        /// Who waits, by a number that ascends.
        var waiting: [UInt64: (weight: Int, continuation: CheckedContinuation<Answer, Never>)] = [:]
        var line = WaitingLine()
        var next: UInt64 = 0
    }

    private let capacity: Int
    private let patience: Duration
    private let metrics: RequestMetrics?
    private let state = Mutex(State())

    /// How long one waits at most.
    static let patience = Duration.seconds(15)

    /// Turns for `capacity` bytes of bodies at once. One that is larger goes alone.
    init(_ capacity: Int, patience: Duration = patience, metrics: RequestMetrics? = nil) {
        self.capacity = max(1, capacity)
        self.patience = patience
        self.metrics = metrics
    }

    /// How many bytes are worked on, and how many bodies wait.
    var counts: (bytes: Int, waiting: Int) { state.withLock { ($0.weight, $0.waiting.count) } }

    /// Waits for the turn of a body of `byteCount` bytes.
    ///
    /// - Throws: ``Problem``, 503, when it did not come in time.
    func turn(_ byteCount: Int) async throws -> Lease {
        let weight = min(max(byteCount, 1), capacity)
        switch await enter(weight) {
        case .go: return Lease { self.leave(weight) }
        case .late:
            metrics?.refused(.queueWait)
            throw Problem.unavailable(
                "As many large bodies wait as may wait. Nothing was used up: wait, then send it again.",
                cause: Refusal.queueWait.rawValue)
        case .cancelled: throw CancellationError()
        }
    }

    private func enter(_ weight: Int) async -> Answer {
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        let alarm = Task {
            try? await Task.sleep(for: patience)
            if !Task.isCancelled { giveUp(number, .late) }
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Answer? = state.withLock { state in
                    if Task.isCancelled { return .cancelled }
                    guard !state.line.isEmpty || weight > capacity - state.weight else {
                        state.weight += weight
                        return .go
                    }
                    state.waiting[number] = (weight, continuation)
                    state.line.append(number)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            giveUp(number, .cancelled)
        }
    }

    private func giveUp(_ number: UInt64, _ answer: Answer) {
        let (gone, others) = state.withLock { state in
            let gone = state.waiting.removeValue(forKey: number)?.continuation
            state.line.remove(number)
            return (gone, admit(&state))
        }
        gone?.resume(returning: answer)
        for other in others { other.resume(returning: .go) }
    }

    private func leave(_ weight: Int) {
        let others = state.withLock { state in
            state.weight -= weight
            return admit(&state)
        }
        for other in others { other.resume(returning: .go) }
    }

    /// Those whose turn it is now. Nobody overtakes, so that the largest is not passed by for ever.
    private func admit(_ state: inout State) -> [CheckedContinuation<Answer, Never>] {
        var admitted: [CheckedContinuation<Answer, Never>] = []
        while let number = state.line.first, let (weight, continuation) = state.waiting[number],
            weight <= capacity - state.weight
        {
            state.line.remove(number)
            state.waiting[number] = nil
            state.weight += weight
            admitted.append(continuation)
        }
        return admitted
    }
}
