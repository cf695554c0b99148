@testable import CarnetAdmission
import Fixtures
import Synchronization
import Testing

/// Work that is done once at a time, and again.
@Suite("Queue of requests", .timeLimit(.minutes(2))) struct RetryQueueTests {
    private func running(
        _ queue: RetryQueue, width: Int = 4, _ work: @escaping @Sendable (String) async -> RetryQueue.Ending,
        _ body: () async throws -> Void
    ) async throws {
        let task = Task { await queue.run(width: width, work) }
        try await body()
        task.cancel()
        await task.value
    }

    @Test("No more than so many are worked on at once, and no name twice at once") func bounds() async throws {
        let queue = RetryQueue()
        let state = Mutex((now: Set<String>(), most: 0, twice: false, done: 0))
        try await running(
            queue, width: 3,
            { name in
                state.withLock { state in
                    if !state.now.insert(name).inserted { state.twice = true }
                    state.most = max(state.most, state.now.count)
                }
                for _ in 0..<10 { await Task.yield() }
                state.withLock { state in
                    state.now.remove(name)
                    state.done += 1
                }
                return .done
            },
            { () async throws in
                for round in 0..<50 { for name in 0..<20 { queue.add("\((round * name) % 20)") } }
                #expect(try await eventually { queue.count == 0 && state.withLock { $0.now.isEmpty } })
            })
        let (_, most, twice, done) = state.withLock { ($0.now, $0.most, $0.twice, $0.done) }
        #expect(most <= 3 && !twice && done >= 20)
    }

    @Test("What is named while it is worked on is looked at once more; what fails comes again") func again()
        async throws
    {
        let queue = RetryQueue(), count = Mutex(0)
        try await running(
            queue,
            { name in
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                if number == 1 { for _ in 0..<5 { queue.add(name) } }
                return number == 2 ? .again(atLeast: nil) : .done
            },
            { () async throws in
                queue.add("a")
                #expect(try await eventually { count.withLock { $0 } == 3 })
            })
        #expect(count.withLock { $0 } == 3)
    }
}
