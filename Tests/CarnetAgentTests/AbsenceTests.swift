import CarnetAttester
import Synchronization
import Testing

/// A keeper whose verifier is away for hours, which pass as fast as they are slept.
@Suite("A verifier that is away for hours", .timeLimit(.minutes(3))) struct AbsenceTests {
    /// Time that goes on when somebody sleeps, as far as a test lets it.
    private final class FastTime: Sendable {
        private struct State {
            var now: Int64 = 1_000_000
            var end: Int64 = 1_000_000
            var sleeps = 0
        }

        private let state = Mutex(State())
        private let keeper = Mutex<PassportKeeper?>(nil)

        var now: Int64 { state.withLock(\.now) }
        /// How often somebody went to sleep.
        var sleeps: Int { state.withLock(\.sleeps) }

        /// Whose requests take no time: the clock stands while one is out.
        func serve(_ keeper: PassportKeeper) { self.keeper.withLock { $0 = keeper } }

        func clock(jitter: Double) -> KeeperClock {
            KeeperClock(
                monotonic: { self.now }, calendar: { 1_700_000_000 + self.now / 1000 }, jitter: { jitter },
                sleep: { try await self.sleep($0) })
        }

        private func sleep(_ milliseconds: Int64) async throws {
            let wake = state.withLock { state in
                state.sleeps += 1
                return state.now + milliseconds
            }
            while now < wake {
                try await Task.sleep(for: .milliseconds(1))
                if let present = await keeper.withLock(\.self)?.present, present.state == .renewing,
                    present.answeredAgo != nil
                {
                    continue
                }
                try Task.checkCancellation()
                state.withLock { $0.now = max($0.now, min(wake, $0.end)) }
            }
        }

        /// Lets so many milliseconds pass.
        func pass(_ milliseconds: Int64) async throws {
            let end = state.withLock { state in
                state.end = state.now + milliseconds
                return state.end
            }
            while now < end { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    @Test(
        "The passport is shown to its end; the verifier is asked rarely and nothing spins; soon after it is back all is well",
        arguments: [0, 0.5, 0.999])
    func hours(jitter: Double) async throws {
        let good = try ScriptedMachine.outcome(issuedAt: 1_700_000_000, lifetime: 300)
        let machine = ScriptedMachine(good), time = FastTime()
        let keeper = await PassportKeeper(machine, watchSeconds: 3600, clock: time.clock(jitter: jitter))
        time.serve(keeper)
        let running = Task { await keeper.run() }
        while await keeper.present.passport == nil { try await time.pass(1000) }
        let first = try await keeper.passport(), begin = time.now
        #expect(first.validUntil <= begin + 300_000)
        machine.say(.failed(reason: "nobody answers", retryAfter: nil))
        while time.now < first.validUntil + 60_000 {
            let shown = await keeper.present.passport != nil
            #expect(shown == (time.now < first.validUntil), "at \(time.now), and its end is \(first.validUntil)")
            try await time.pass(1000)
        }
        try await time.pass(6 * 3_600_000)
        let away = await keeper.present
        #expect(away.passport == nil && away.failure == "nobody answers")
        #expect(try #require(away.nextIn) <= 300)
        let attempts = machine.attestationCount, hours = Double(time.now - begin) / 3_600_000
        // Between the longest pause and the floor: 12 and 240 in an hour.
        #expect(Double(attempts) >= 12 * (hours - 0.5) && Double(attempts) <= 240 * hours + 2, "\(attempts)")
        // It looks up every 30 seconds, when something is due, and when a request ends; each of the 1,000 steps above may have cost one more.
        #expect(Double(time.sleeps) <= 120 * hours + 4 * Double(attempts) + 1000, "\(time.sleeps)")

        machine.say(good)
        try await time.pass(301_000)
        let back = await keeper.present
        #expect(back.state == .fresh && back.passport != nil && back.failure == nil)
        running.cancel()
        await running.value
    }
}
