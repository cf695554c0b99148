import Synchronization

/// A bounded queue in front of work that takes processor time and memory: so many run, so many wait, in the order in which they came, and
/// not for long. Whoever comes then is refused at once, so that all who wait still get their answer in time.
///
/// Requests enter when they are complete: a client that sends slowly holds no place. One client gets at most half of the places.
public final class WorkQueue: Sendable {
    /// How large it is.
    public struct Size: Sendable, Hashable {
        /// The most pieces of work at once: 1 to 10,000.
        public var running: Int
        /// The most that wait: 0 to 100,000.
        public var waiting: Int
        /// How long one waits at most, in seconds: 1 to 300.
        public var seconds: Int

        /// A size.
        public init(running: Int, waiting: Int, seconds: Int) {
            self.running = running
            self.waiting = waiting
            self.seconds = seconds
        }
    }

    private enum Turn { case go, full, late, cancelled }

    private struct State {
        var running = 0
        /// Who waits, by a number that ascends, and the least number that may wait.
        var waiting: [UInt64: (client: RateKey, continuation: CheckedContinuation<Turn, Never>)] = [:]
        var first: UInt64 = 0
        var next: UInt64 = 0
        /// How many places each client has.
        var places: [RateKey: Int] = [:]
    }

    private let size: Size
    private let metrics: RequestMetrics?
    private let state = Mutex(State())

    /// A queue.
    public init(_ size: Size, metrics: RequestMetrics? = nil) {
        self.size = size
        self.metrics = metrics
    }

    /// How many run and how many wait now.
    public var counts: (running: Int, waiting: Int) { state.withLock { ($0.running, $0.waiting.count) } }

    /// Does `body` when it is its turn.
    ///
    /// - Throws: ``Problem``: 503 when there is no place, or its turn did not come in time; and what `body` throws.
    func run<Value>(for client: RateKey, _ body: () async throws -> Value) async throws -> Value {
        switch await enter(client) {
        case .go: break
        case .full: throw refusal(.queueFull)
        case .late: throw refusal(.queueWait)
        case .cancelled: throw CancellationError()
        }
        defer { leave(client) }
        return try await body()
    }

    /// Refuses whoever would find no place now, before they send a long body.
    func requireRoom(for client: RateKey) throws(Problem) {
        if state.withLock({ !hasRoom($0, client) }) { throw refusal(.queueFull) }
    }

    private func hasRoom(_ state: State, _ client: RateKey) -> Bool {
        (state.running < size.running || state.waiting.count < size.waiting)
            && state.places[client, default: 0] < max(1, (size.running + size.waiting) / 2)
    }

    private func refusal(_ reason: Refusal) -> Problem {
        metrics?.refused(reason)
        return .unavailable(
            "As many requests wait as may wait. Nothing was used up: wait, then send it again.",
            cause: reason.rawValue)
    }

    private func enter(_ client: RateKey) async -> Turn {
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        let patience = Duration.seconds(size.seconds)
        if let turn = state.withLock({ goOrLeave(&$0, client) }) { return turn }
        let alarm = Task {
            try? await Task.sleep(for: patience)
            if !Task.isCancelled { self.giveUp(number, .late) }
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let turn: Turn? = state.withLock { state in
                    if Task.isCancelled { return .cancelled }
                    if let turn = goOrLeave(&state, client) { return turn }
                    state.waiting[number] = (client, continuation)
                    state.places[client, default: 0] += 1
                    return nil
                }
                if let turn { continuation.resume(returning: turn) }
            }
        } onCancel: {
            giveUp(number, .cancelled)
        }
    }

    /// Whether one may go, or has to leave, at once; `nil` is for waiting.
    private func goOrLeave(_ state: inout State, _ client: RateKey) -> Turn? {
        guard hasRoom(state, client) else { return .full }
        guard state.running < size.running else { return nil }
        state.running += 1
        state.places[client, default: 0] += 1
        return .go
    }

    private func giveUp(_ number: UInt64, _ turn: Turn) {
        let continuation: CheckedContinuation<Turn, Never>? = state.withLock { state in
            guard let (client, continuation) = state.waiting.removeValue(forKey: number) else {
                return nil
            }
            Self.forget(&state, client)
            return continuation
        }
        continuation?.resume(returning: turn)
    }

    /// Hands the turn on to whoever has waited longest.
    private func leave(_ client: RateKey) {
        let continuation: CheckedContinuation<Turn, Never>? = state.withLock { state in
            Self.forget(&state, client)
            while state.first < state.next, !state.waiting.isEmpty {
                defer { state.first += 1 }
                if let next = state.waiting.removeValue(forKey: state.first) { return next.continuation }
            }
            state.running -= 1
            return nil
        }
        continuation?.resume(returning: .go)
    }

    private static func forget(_ state: inout State, _ client: RateKey) {
        let rest = state.places[client, default: 0] - 1
        state.places[client] = rest > 0 ? rest : nil
    }
}
