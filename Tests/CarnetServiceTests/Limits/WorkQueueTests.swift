@testable import CarnetService
import HTTPTypes
import ServiceHarness
import Synchronization
import Testing

/// Work that ends when the test says so.
private final class Work: Sendable {
    private let gate = Mutex<[Int: CheckedContinuation<Void, Never>]>([:])
    private let started = Mutex<[Int]>([])

    var order: [Int] { started.withLock(\.self) }

    func run(_ number: Int) async {
        await withCheckedContinuation { continuation in
            gate.withLock { $0[number] = continuation }
            started.withLock { $0.append(number) }
        }
    }

    func finish(_ number: Int) { gate.withLock { $0.removeValue(forKey: number) }?.resume() }
}

private final class Sum: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock(\.self) }
    func add() { count.withLock { $0 += 1 } }
}

@Suite(.timeLimit(.minutes(2))) struct WorkQueueTests {
    private static func client(_ number: Int) -> RateKey { RateKey(kind: 9, [UInt8(number)]) }

    private static func counts(_ queue: WorkQueue) -> [Int] { [queue.counts.running, queue.counts.waiting] }

    private static func until(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test("So many run, so many wait, the next is refused, and turns come in order") func order() async throws {
        let queue = WorkQueue(.init(running: 2, waiting: 3, seconds: 60)), work = Work()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                group.addTask { try await queue.run(for: Self.client(number)) { await work.run(number) } }
                try await Self.until { queue.counts.running + queue.counts.waiting == number + 1 }
            }
            #expect(work.order.count <= 2)
            try await Self.until { work.order.count == 2 }
            #expect(Self.counts(queue) == [2, 3])
            let refused = await #expect(throws: Problem.self) {
                try await queue.run(for: Self.client(9)) { Issue.record("it ran") }
            }
            #expect(refused?.status == .serviceUnavailable && refused?.headers[.retryAfter] == "5")
            #expect(throws: Problem.self) { try queue.requireRoom(for: Self.client(9)) }
            for number in 0..<5 {
                try await Self.until { work.order.contains(number) }
                work.finish(number)
                // Two whose turn it is at once begin in any order.
                try await Self.until { work.order.count == min(5, number + 3) }
            }
            try await group.waitForAll()
        }
        #expect(work.order.sorted() == work.order || Set(work.order.prefix(2)) == [0, 1])
        #expect(Array(work.order.dropFirst(2)) == [2, 3, 4])
        #expect(Self.counts(queue) == [0, 0])
    }

    @Test("One client gets half of the places, and another still finds one") func share() async throws {
        let queue = WorkQueue(.init(running: 1, waiting: 5, seconds: 60)), work = Work()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<3 {
                group.addTask { try await queue.run(for: Self.client(0)) { await work.run(number) } }
                try await Self.until { queue.counts.running + queue.counts.waiting == number + 1 }
            }
            await #expect(throws: Problem.self) { try await queue.run(for: Self.client(0)) {} }
            #expect(throws: Never.self) { try queue.requireRoom(for: Self.client(1)) }
            group.addTask { try await queue.run(for: Self.client(1)) { await work.run(3) } }
            try await Self.until { queue.counts.waiting == 3 }
            for number in 0..<4 {
                try await Self.until { work.order.count > number }
                work.finish(work.order[number])
            }
            try await group.waitForAll()
        }
        // The share is given back with the places.
        try await queue.run(for: Self.client(0)) {}
        #expect(Self.counts(queue) == [0, 0])
    }

    @Test("One client's work runs at so many places only, and others overtake it") func runningShare() async throws {
        let queue = WorkQueue(.init(running: 4, waiting: 8, seconds: 60, runningPerClient: 2)), work = Work()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                group.addTask { try await queue.run(for: Self.client(0)) { await work.run(number) } }
                try await Self.until { queue.counts.running + queue.counts.waiting == number + 1 }
            }
            #expect(Self.counts(queue) == [2, 2])
            for number in 4..<7 {
                group.addTask { try await queue.run(for: Self.client(number)) { await work.run(number) } }
                try await Self.until { queue.counts.running + queue.counts.waiting == number + 1 }
            }
            try await Self.until { work.order.count == 4 }
            #expect(Self.counts(queue) == [4, 3] && Set(work.order) == [0, 1, 4, 5])
            // Somebody else's place goes to the one who came last, since two of the first client's run.
            work.finish(4)
            try await Self.until { work.order.count == 5 }
            #expect(work.order.last == 6)
            work.finish(0)
            try await Self.until { work.order.count == 6 }
            #expect(work.order.last == 2)
            for number in [1, 2, 5, 6] { work.finish(number) }
            try await Self.until { work.order.count == 7 }
            work.finish(3)
            try await group.waitForAll()
        }
        #expect(Self.counts(queue) == [0, 0])
        try await queue.run(for: Self.client(0)) {}
    }

    @Test("A long answer keeps its place until it is read, a short one does not; whoever goes away gives it back")
    func answers() async throws {
        let queue = WorkQueue(.init(running: 1, waiting: 0, seconds: 1))
        let route = Route(.get, "/much", access: .public) { _ in .json([UInt8](repeating: 0x20, count: 32 << 20)) }
            .queued(in: queue)
        let little = Route(.get, "/little", access: .public) { _ in .json([0x7B, 0x7D]) }.queued(in: queue)
        try await withService([route, little]) { client async throws in
            #expect(try await client.call(.head, "/much").status == 200)
            #expect(try await client.call(.get, "/little").status == 200)
            try await Self.until { Self.counts(queue) == [0, 0] }
            var slow: RawConnection? = try RawConnection(port: client.port)
            slow?.send("GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
            try await Self.until { queue.counts.running == 1 }
            try await Task.sleep(for: .milliseconds(500))
            #expect(Self.counts(queue) == [1, 0])
            #expect(try await client.call(.get, "/little").status == 503)
            withExtendedLifetime(slow) {}
            slow = nil
            try await Self.until { Self.counts(queue) == [0, 0] }
            #expect(try await client.call(.get, "/little").status == 200)
        }
    }

    @Test("Whose turn does not come in time, or who goes away, is told so and leaves no place taken") func patience()
        async throws
    {
        let queue = WorkQueue(.init(running: 1, waiting: 5, seconds: 1)), work = Work()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.run(for: Self.client(0)) { await work.run(0) } }
            try await Self.until { work.order == [0] }
            let gone = Task { try await queue.run(for: Self.client(1)) { Issue.record("it ran") } }
            try await Self.until { queue.counts.waiting == 1 }
            gone.cancel()
            await #expect(throws: CancellationError.self) { try await gone.value }
            #expect(Self.counts(queue) == [1, 0])
            let late = await #expect(throws: Problem.self) {
                try await queue.run(for: Self.client(2)) { Issue.record("it ran") }
            }
            #expect(late?.cause == "queue-wait" && Self.counts(queue) == [1, 0])
            work.finish(0)
            try await group.waitForAll()
        }
        #expect(Self.counts(queue) == [0, 0])
    }

    @Test("What fails gives its place back") func failure() async throws {
        let queue = WorkQueue(.init(running: 1, waiting: 0, seconds: 1))
        for _ in 0..<3 {
            await #expect(throws: Problem.self) {
                try await queue.run(for: Self.client(0)) { throw Problem.notFound("x") }
            }
        }
        #expect(Self.counts(queue) == [0, 0])
    }

    @Test("Thousands at once leave nothing behind") func many() async throws {
        let queue = WorkQueue(.init(running: 4, waiting: 10_000, seconds: 60)), sum = Sum()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4000 {
                group.addTask {
                    try await queue.run(for: Self.client(number % 7)) {
                        await Task.yield()
                        sum.add()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(sum.value == 4000 && Self.counts(queue) == [0, 0])
    }
}
