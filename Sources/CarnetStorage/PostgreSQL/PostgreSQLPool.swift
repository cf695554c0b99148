import Dispatch
import Foundation
import Synchronization

/// Threads with one connection each, and the calls that wait for one of them.
///
/// libpq blocks. These threads are its own, so that none of those that Swift's tasks share ever waits for the database.
/// Threads are started when there is work for them and end when the pool is closed.
final class PostgreSQLPool: Sendable {
    private let line: Line

    init(_ address: PostgreSQLAddress, _ settings: PostgreSQLSettings) { line = Line(address, settings) }

    deinit { line.close() }

    /// Refuses every later call; connections are closed when they have done what they are at.
    func close() { line.close() }

    /// Runs `work` on one of the threads.
    ///
    /// - Throws: What `work` throws, and ``StorageError/Code/unavailable`` when no connection became free in time.
    func run<Value: Sendable>(_ work: @escaping @Sendable (PostgreSQLSlot) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            line.add(
                Call(
                    run: { slot in continuation.resume(with: Result { try work(slot) }) },
                    refuse: { continuation.resume(throwing: $0) }))
        }
    }

    /// One of the two is called, once.
    private struct Call: Sendable {
        let run: @Sendable (PostgreSQLSlot) -> Void
        let refuse: @Sendable (StorageError) -> Void
    }

    /// What threads and callers share. Threads hold the line and not the pool, so the pool can end.
    private final class Line: Sendable {
        private let address: PostgreSQLAddress
        private let settings: PostgreSQLSettings
        private let state = Mutex(State())
        private let changed = DispatchSemaphore(value: 0)

        private struct State {
            /// Calls that no thread has taken, by the order in which they came.
            var waiting: [(number: UInt64, call: Call)] = []
            var nextNumber: UInt64 = 0
            var threadCount = 0
            var idleCount = 0
            var isClosed = false
        }

        init(_ address: PostgreSQLAddress, _ settings: PostgreSQLSettings) {
            self.address = address
            self.settings = settings
        }

        func add(_ call: Call) {
            let (number, startsThread, waits): (UInt64?, Bool, Bool) = state.withLock { state in
                guard !state.isClosed else { return (nil, false, false) }
                let number = state.nextNumber
                state.nextNumber += 1
                state.waiting.append((number, call))
                let isServed = state.waiting.count <= state.idleCount
                let startsThread = !isServed && state.threadCount < max(1, settings.maximumConnectionCount)
                if startsThread { state.threadCount += 1 }
                return (number, startsThread, !isServed && !startsThread)
            }
            guard let number else { return call.refuse(StorageError(.unavailable, "the database is closed")) }
            changed.signal()
            if startsThread { Thread.detachNewThread { self.work() } }
            guard waits else { return }
            Task { [settings] in
                try? await Task.sleep(for: .seconds(settings.timeout))
                self.expire(number)
            }
        }

        /// Refuses a call that still waits.
        private func expire(_ number: UInt64) {
            let call = state.withLock { state in
                state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0).call }
            }
            call?.refuse(
                StorageError(
                    .unavailable, "all \(settings.maximumConnectionCount) connections to the database are in use"))
        }

        func close() {
            let (calls, threadCount) = state.withLock { state in
                defer { state.waiting = [] }
                state.isClosed = true
                return (state.waiting, state.threadCount)
            }
            for (_, call) in calls { call.refuse(StorageError(.unavailable, "the database is closed")) }
            for _ in 0..<threadCount { changed.signal() }
        }

        /// What each thread does.
        private func work() {
            let slot = PostgreSQLSlot(address, settings)
            while true {
                state.withLock { $0.idleCount += 1 }
                changed.wait()
                let (call, isClosed) = state.withLock { state in
                    state.idleCount -= 1
                    return (state.waiting.isEmpty ? nil : state.waiting.removeFirst().call, state.isClosed)
                }
                call?.run(slot)
                if isClosed { return }
            }
        }
    }
}

/// The place of one connection: it is opened when it is needed, and replaced when it is lost.
final class PostgreSQLSlot {
    private let address: PostgreSQLAddress
    private let settings: PostgreSQLSettings
    private var present: PostgreSQLSession?

    init(_ address: PostgreSQLAddress, _ settings: PostgreSQLSettings) {
        self.address = address
        self.settings = settings
    }

    /// The connection, opened now if there is none.
    func session() throws(StorageError) -> PostgreSQLSession {
        if let present, !present.isLost { return present }
        do {
            let session = try PostgreSQLSession(address, settings)
            present = session
            return session
        } catch { throw error.error }
    }

    /// Closes the connection.
    func discard() { present = nil }
}
