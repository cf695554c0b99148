import CarnetAttester
import Testing

/// The machine that says when to ask, in made-up lives of hours.
@Suite("Renewal") struct RenewalTests {
    /// Chance that is the same at every run (SplitMix64).
    private struct Chance: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }

        mutating func jitter() -> Double { Double.random(in: 0..<1, using: &self) }
    }

    /// A machine, its verifier, and everything that came about between them.
    private final class Life {
        var renewal: Renewal
        var chance: Chance
        var now: Int64
        var asked: [Int64] = []
        var enrolled: [Int64] = []
        /// From when to when nothing was shown although it could have been.
        var gaps: [ClosedRange<Int64>] = []
        var wakeAt: Int64

        init(isEnrolled: Bool = true, pace: RenewalPace = RenewalPace(), seed: UInt64, at now: Int64 = 1_000_000) {
            chance = Chance(state: seed)
            self.now = now
            renewal = Renewal(isEnrolled: isEnrolled, pace: pace, at: now, jitter: chance.jitter())
            wakeAt = now
        }

        /// Takes an event.
        ///
        /// - Returns: Whether a request is out now.
        func take(_ event: Renewal.Event) -> Bool {
            let step = renewal.step(event, at: now, jitter: chance.jitter())
            switch step.action {
            case .wait(let until):
                wakeAt = max(until, now + 1)
                return false
            case .attest: asked.append(now)
            case .enrol: enrolled.append(now)
            }
            return true
        }

        /// Waits until a request is due, or `end`.
        func sleep(until end: Int64) -> Bool {
            while now < end {
                now = min(max(wakeAt, now + 1), end)
                if take(.tick) { return true }
            }
            return false
        }
    }

    private static let seeds: ClosedRange<UInt64> = 1...200

    @Test("While the verifier answers, a passport is always there, and renewed between half and two thirds of its life")
    func steady() {
        for seed in Self.seeds {
            let lifetime = Int64([30, 60, 300, 3600][Int(seed % 4)])
            let life = Life(seed: seed)
            _ = life.sleep(until: life.now + 10_000)
            #expect(life.asked.count == 1)
            for _ in 0..<50 {
                let begin = life.now
                // The verifier takes up to two seconds.
                life.now += Int64.random(in: 0...2000, using: &life.chance)
                #expect(!life.take(.passport(lifetime: lifetime)))
                #expect(life.renewal.state == .fresh && life.renewal.validUntil == begin + lifetime * 1000)
                guard life.sleep(until: begin + lifetime * 1000 - 1) else {
                    Issue.record("no renewal within \(lifetime) s, seed \(seed)")
                    return
                }
                let part = Double(life.now - begin) / Double(lifetime * 1000)
                #expect(part >= 0.5 && part <= 0.67, "\(part)")
                #expect(life.renewal.state == .renewing && life.renewal.validUntil != nil)
            }
        }
    }

    @Test("Whatever happens, two attestations are never nearer than the floor, nor growth's than its own")
    func floor() {
        for seed in Self.seeds {
            let pace = RenewalPace(floor: 15, growthFloor: 60)
            let life = Life(isEnrolled: seed % 3 != 0, pace: pace, seed: seed)
            var isOut = life.take(.tick)
            for _ in 0..<2000 {
                life.now += Int64.random(in: 0...3000, using: &life.chance)
                let event: Renewal.Event
                switch Int.random(in: 0..<12, using: &life.chance) {
                case 0: event = .asked
                case 1, 2: event = .changed(isGrowth: true)
                case 3: event = .changed(isGrowth: false)
                case 4...7 where isOut:
                    let enrols = life.enrolled.last ?? .min > life.asked.last ?? .min
                    let answers: [Renewal.Event] =
                        enrols
                        ? [.enrolled(isApproved: true), .enrolled(isApproved: false), .failed(retryAfter: nil)]
                        : [
                            .passport(lifetime: 60), .passport(lifetime: 300), .refused, .pending,
                            .failed(retryAfter: nil), .failed(retryAfter: 3),
                        ]
                    event = answers.randomElement(using: &life.chance) ?? .tick
                    isOut = false
                default: event = .tick
                }
                if life.take(event) { isOut = true }
            }
            #expect(life.asked.count > 20, "\(life.asked.count)")
            for (one, next) in zip(life.asked, life.asked.dropFirst()) { #expect(next - one >= 15_000, "seed \(seed)") }
            for (one, next) in zip(life.enrolled, life.enrolled.dropFirst()) { #expect(next - one >= 15_000) }
        }
    }

    @Test("A list that grows all the time asks once a minute; another change at the floor, however many come")
    func storm() {
        for (isGrowth, least) in [(true, 60_000), (false, 15_000)] as [(Bool, Int64)] {
            let life = Life(seed: 7)
            _ = life.sleep(until: life.now + 10_000)
            let begin = life.now
            _ = life.take(.passport(lifetime: 3600))
            while life.now < begin + 3_600_000 {
                life.now += 500
                if life.take(.changed(isGrowth: isGrowth)) {
                    life.now += 300
                    // What changes while a request is out is not forgotten.
                    _ = life.take(.changed(isGrowth: isGrowth))
                    _ = life.take(.passport(lifetime: 3600))
                }
            }
            #expect(zip(life.asked, life.asked.dropFirst()).allSatisfy { $1 - $0 >= least })
            #expect(Int64(life.asked.count) >= 3_600_000 / (least + 2000), "\(isGrowth) \(life.asked.count)")
        }
    }

    @Test("A change is answered at once where the floor allows it, also one that came while a request was out")
    func change() {
        let life = Life(seed: 3)
        _ = life.sleep(until: life.now + 10_000)
        _ = life.take(.passport(lifetime: 300))
        life.now += 60_000
        _ = life.take(.changed(isGrowth: false))
        #expect(life.sleep(until: life.now + 1001))
        _ = life.take(.changed(isGrowth: true))
        _ = life.take(.changed(isGrowth: false))
        _ = life.take(.passport(lifetime: 300))
        #expect(life.sleep(until: life.now + 16_001) && life.asked.count == 3)
    }

    @Test("After hours without an answer it asks again within the longest pause; pauses grow, and are chance")
    func away() {
        for seed in Self.seeds {
            let life = Life(seed: seed)
            _ = life.sleep(until: life.now + 10_000)
            let begin = life.now
            _ = life.take(.passport(lifetime: 300))
            var pauses: [Int64] = []
            while life.now < begin + 6 * 3_600_000 {
                guard life.sleep(until: life.now + 301_000) else {
                    Issue.record("longer than the longest pause, seed \(seed)")
                    return
                }
                life.now += 100
                let before = life.now
                _ = life.take(.failed(retryAfter: nil))
                pauses.append(life.renewal.dueAt - before)
                #expect(life.renewal.state == .failing(count: pauses.count))
                // Changes and growth do not hurry it: the verifier has trouble enough.
                _ = life.take(.changed(isGrowth: false))
                #expect(life.renewal.dueAt - before == pauses.last)
            }
            #expect(life.renewal.validUntil == nil, "the passport has expired")
            #expect(pauses.allSatisfy { $0 <= 300_000 } && pauses.dropFirst(8).contains { $0 > 100_000 })
            #expect(life.sleep(until: life.now + 301_000))
            #expect(!life.take(.passport(lifetime: 300)) && life.renewal.state == .fresh)
        }
    }

    @Test("A failed renewal leaves the passport until it expires, and not a moment longer; a refusal takes it at once")
    func withdrawal() {
        var renewal = Renewal(isEnrolled: true, at: 0, jitter: 0)
        func step(_ event: Renewal.Event, _ now: Int64) -> Renewal.Step { renewal.step(event, at: now, jitter: 0) }
        #expect(step(.tick, 0) == .init(action: .attest, withdraws: false))
        #expect(step(.passport(lifetime: 60), 2000).action == .wait(until: 30_000))
        #expect(step(.tick, 30_000).action == .attest)
        #expect(!step(.failed(retryAfter: 600), 31_000).withdraws)
        #expect(step(.tick, 59_999) == .init(action: .wait(until: 60_000), withdraws: false))
        #expect(step(.tick, 60_000) == .init(action: .wait(until: 631_000), withdraws: true))
        #expect(!step(.tick, 60_001).withdraws)
        #expect(step(.tick, 631_000).action == .attest)
        _ = renewal.step(.passport(lifetime: 60), at: 631_100, jitter: 0)
        #expect(step(.asked, 650_000).action == .attest)
        #expect(step(.refused, 650_100).withdraws && renewal.validUntil == nil)
        #expect(renewal.state == .refused(count: 1))
        // While a request is out, a passport expires as well.
        #expect(step(.asked, 666_000).action == .attest)
        _ = renewal.step(.passport(lifetime: 60), at: 666_100, jitter: 0)
        #expect(step(.tick, 700_000).action == .attest)
        #expect(step(.tick, 726_000).withdraws)
        #expect(step(.passport(lifetime: 60), 761_000).action == .attest)
        #expect(renewal.validUntil == nil, "it came after its life was over")
    }

    @Test("Enrolment goes on to the first attestation at once when it is approved, and waits politely when it is not")
    func enrolment() {
        let life = Life(isEnrolled: false, seed: 5)
        #expect(life.renewal.state == .unenrolled)
        #expect(life.sleep(until: life.now + 3000) && life.enrolled.count == 1)
        _ = life.take(.failed(retryAfter: nil))
        #expect(life.sleep(until: life.now + 30_000) && life.enrolled.count == 2)
        #expect(life.take(.enrolled(isApproved: true)) && life.asked == [life.now])
        let waiting = Life(isEnrolled: false, seed: 6)
        _ = waiting.sleep(until: waiting.now + 3000)
        #expect(!waiting.take(.enrolled(isApproved: false)) && waiting.renewal.state == .pendingApproval)
        for _ in 0..<40 {
            #expect(waiting.sleep(until: waiting.now + 60_001), "an approval is noticed within a minute")
            _ = waiting.take(.pending)
        }
        #expect(waiting.asked.count == 40)
        _ = waiting.sleep(until: waiting.now + 60_001)
        _ = waiting.take(.passport(lifetime: 300))
        #expect(waiting.renewal.state == .fresh)
    }

    @Test("Retry-After is heeded, up to a quarter of an hour; lifetimes that make no sense are no passport")
    func bounds() {
        for (wish, least, most) in [(20, 20, 25), (86_400, 900, 905), (-5, 15, 15), (Int.min, 15, 15)] {
            for jitter in [0, 0.5, 0.999, 7, -1, .nan] {
                var renewal = Renewal(isEnrolled: true, at: 0, jitter: 0)
                _ = renewal.step(.tick, at: 0, jitter: 0)
                _ = renewal.step(.failed(retryAfter: wish), at: 0, jitter: jitter)
                #expect((Int64(least) * 1000...Int64(most) * 1000).contains(renewal.dueAt), "\(wish) \(renewal.dueAt)")
            }
        }
        for lifetime in [Int64.min, -1, 0, 1] {
            var renewal = Renewal(isEnrolled: true, at: 0, jitter: 0)
            _ = renewal.step(.tick, at: 0, jitter: 0)
            _ = renewal.step(.passport(lifetime: lifetime), at: 0, jitter: 0)
            #expect(renewal.state == .failing(count: 1) && renewal.validUntil == nil && renewal.dueAt >= 15_000)
        }
        var long = Renewal(isEnrolled: true, at: 0, jitter: 0)
        _ = long.step(.tick, at: 0, jitter: 0)
        _ = long.step(.passport(lifetime: .max), at: 0, jitter: 1)
        #expect(long.validUntil == 86_400_000)
        #expect(
            RenewalPace(floor: 0, growthFloor: .max).floor == 1
                && RenewalPace(floor: 99, growthFloor: 1).growthFloor == 99)
    }

    @Test("A machine that slept for hours wakes with nothing to show, and asks at once")
    func slept() {
        var renewal = Renewal(isEnrolled: true, at: 0, jitter: 0)
        func step(_ event: Renewal.Event, _ now: Int64) -> Renewal.Step { renewal.step(event, at: now, jitter: 0) }
        _ = renewal.step(.tick, at: 0, jitter: 0)
        _ = renewal.step(.passport(lifetime: 300), at: 100, jitter: 0)
        #expect(step(.tick, 9 * 3_600_000) == .init(action: .attest, withdraws: true))
    }
}
