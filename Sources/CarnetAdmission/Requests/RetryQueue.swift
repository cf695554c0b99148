import Synchronization

/// Names of what is to be looked at: each once at a time, however often it was named, and some later.
final class RetryQueue: Sendable {
    private struct State: Sendable {
        /// Named, in their order; the first `taken` of them are gone.
        var ready: [String] = []
        var taken = 0
        var pending: Set<String> = []
        var working: Set<String> = []
        /// Named again while it was worked on.
        var again: Set<String> = []
        var failures: [String: Int] = [:]
        var waiting: [CheckedContinuation<String?, Never>] = []
        var isClosed = false

        mutating func next() -> String? {
            guard taken < ready.count else { return nil }
            let name = ready[taken]
            taken += 1
            if taken == ready.count || taken == 4096 {
                ready.removeFirst(taken)
                taken = 0
            }
            pending.remove(name)
            working.insert(name)
            return name
        }
    }

    private let state = Mutex(State())

    /// How many wait for their turn.
    var count: Int { state.withLock { $0.pending.count } }

    /// Names something; what waits already is not named twice, and what is worked on is looked at again afterwards.
    func add(_ name: String) {
        let ready = state.withLock { state -> (CheckedContinuation<String?, Never>, String)? in
            guard !state.isClosed else { return nil }
            guard !state.working.contains(name) else {
                state.again.insert(name)
                return nil
            }
            guard state.pending.insert(name).inserted else { return nil }
            state.ready.append(name)
            guard let worker = state.waiting.popLast(), let next = state.next() else { return nil }
            return (worker, next)
        }
        if let (worker, name) = ready { worker.resume(returning: name) }
    }

    /// What becomes of a name that was worked on.
    enum Ending: Sendable {
        case done
        /// To be looked at again: after a second, after two, and so on up to a minute, or after what the server asked for.
        case again(atLeast: Int?)
    }

    /// Works on the names, at most `width` at once, until the task is cancelled. It runs once.
    func run(width: Int, _ work: @escaping @Sendable (String) async -> Ending) async {
        await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<width {
                    group.addTask { while let name = await self.next() { self.end(name, await work(name)) } }
                }
            }
        } onCancel: {
            close()
        }
    }

    private func next() async -> String? {
        await withCheckedContinuation { worker in
            let answer = state.withLock { state -> String?? in
                if state.isClosed { return .some(nil) }
                if let name = state.next() { return name }
                state.waiting.append(worker)
                return nil
            }
            if let answer { worker.resume(returning: answer) }
        }
    }

    private func end(_ name: String, _ ending: Ending) {
        let (isAgain, failures) = state.withLock { state in
            state.working.remove(name)
            switch ending {
            case .done: state.failures[name] = nil
            case .again: state.failures[name, default: 0] += 1
            }
            return (state.again.remove(name) != nil, state.failures[name] ?? 0)
        }
        if isAgain { return add(name) }
        guard case .again(let seconds) = ending else { return }
        let pause = max(Self.pause(after: failures), .seconds(seconds ?? 0))
        Task { [weak self] in
            try? await Task.sleep(for: pause)
            self?.add(name)
        }
    }

    private func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for worker in waiting { worker.resume(returning: nil) }
    }

    private static func pause(after failures: Int) -> Duration {
        .seconds(min(60, 1 << min(max(failures - 1, 0), 6))) * Double.random(in: 0.75...1)
    }
}
