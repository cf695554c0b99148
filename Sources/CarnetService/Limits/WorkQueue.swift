import Synchronization

/// A bounded queue in front of work that takes processor time and memory: so many run, so many wait, in the order in which they came, and
/// not for long. Whoever comes then is refused at once, so that all who wait still get their answer in time.
///
/// Requests enter when they are complete: a client that sends slowly holds no place. One client gets at most half of the places. A place is
/// kept until a long answer is written, so that the memory which answers take is bounded by the places too.
public final class WorkQueue: Sendable {
    /// How large it is.
    public struct Size: Sendable, Hashable {
        /// The most pieces of work at once: 1 to 10,000.
        public var running: Int
        /// The most that wait: 0 to 100,000.
        public var waiting: Int
        /// How long one waits at most, in seconds: 1 to 300.
        public var seconds: Int
        /// The most pieces of one client's work at once; `nil` for as many as there may be. Others overtake those of it that wait.
        public var runningPerClient: Int?

        /// A size.
        public init(running: Int, waiting: Int, seconds: Int, runningPerClient: Int? = nil) {
            self.running = running
            self.waiting = waiting
            self.seconds = seconds
            self.runningPerClient = runningPerClient
        }
    }

    private enum Turn { case go, full, late, cancelled }

    private struct State {
        var running = 0
        /// Who waits, by a number that ascends, and the least number that may wait.
        var waiting: [UInt64: (client: RateKey, continuation: CheckedContinuation<Turn, Never>)] = [:]
        var first: UInt64 = 0
        var next: UInt64 = 0
        /// How many places each client has, and at how many of them its work runs.
        var places: [RateKey: Int] = [:]
        var runningOf: [RateKey: Int] = [:]
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

    /// Waits until work may run.
    ///
    /// - Throws: ``Problem``: 503 when there is no place, or its turn did not come in time.
    func place(for client: RateKey) async throws -> Lease {
        switch await enter(client) {
        case .go: return Lease { self.leave(client) }
        case .full: throw refusal(.queueFull)
        case .late: throw refusal(.queueWait)
        case .cancelled: throw CancellationError()
        }
    }

    /// Does `body` when it is its turn.
    ///
    /// - Throws: What ``place(for:)`` and `body` throw.
    func run<Value>(for client: RateKey, _ body: () async throws -> Value) async throws -> Value {
        let place = try await place(for: client)
        defer { place.giveBack() }
        return try await body()
    }

    /// Refuses whoever would find no place now, before they send a long body.
    func requireRoom(for client: RateKey) throws(Problem) {
        if state.withLock({ !hasRoom($0, client) }) { throw refusal(.queueFull) }
    }

    private func hasRoom(_ state: State, _ client: RateKey) -> Bool {
        (canRun(state, client) || state.waiting.count < size.waiting)
            && state.places[client, default: 0] < max(1, (size.running + size.waiting) / 2)
    }

    private func canRun(_ state: State, _ client: RateKey) -> Bool {
        state.running < size.running && hasTurn(state, client)
    }

    /// Whether a client may have one more at work when somebody else's place becomes free.
    private func hasTurn(_ state: State, _ client: RateKey) -> Bool {
        size.runningPerClient.map { state.runningOf[client, default: 0] < $0 } ?? true
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
                    // Its number was given out before: others may have been passed on their way meanwhile.
                    state.first = min(state.first, number)
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
        guard canRun(state, client) else { return nil }
        state.running += 1
        state.places[client, default: 0] += 1
        state.runningOf[client, default: 0] += 1
        return .go
    }

    private func giveUp(_ number: UInt64, _ turn: Turn) {
        let continuation: CheckedContinuation<Turn, Never>? = state.withLock { state in
            guard let (client, continuation) = state.waiting.removeValue(forKey: number) else {
                return nil
            }
            Self.remove(client, from: &state.places)
            return continuation
        }
        continuation?.resume(returning: turn)
    }

    /// Hands the turn on to whoever has waited longest and may have it.
    private func leave(_ client: RateKey) {
        let continuation: CheckedContinuation<Turn, Never>? = state.withLock { state in
            Self.remove(client, from: &state.places)
            Self.remove(client, from: &state.runningOf)
            if let next = nextInTurn(&state), let entry = state.waiting.removeValue(forKey: next) {
                state.runningOf[entry.client, default: 0] += 1
                return entry.continuation
            }
            state.running -= 1
            return nil
        }
        continuation?.resume(returning: .go)
    }

    private func nextInTurn(_ state: inout State) -> UInt64? {
        guard !state.waiting.isEmpty else { return nil }
        // Numbers at the front that nobody has any more are not looked at again.
        while state.first < state.next, state.waiting[state.first] == nil { state.first += 1 }
        var number = state.first
        while number < state.next {
            if let entry = state.waiting[number], hasTurn(state, entry.client) { return number }
            number += 1
        }
        return nil
    }

    private static func remove(_ client: RateKey, from counts: inout [RateKey: Int]) {
        let rest = counts[client, default: 0] - 1
        counts[client] = rest > 0 ? rest : nil
    }
}
