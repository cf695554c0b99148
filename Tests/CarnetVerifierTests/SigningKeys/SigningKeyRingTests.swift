@testable import CarnetRecords
import CarnetVerifier
import Testing

/// The keys' lives as values, at times that the tests choose: the first keys are made at 1,000,000.
@Suite("Signing keys in turn") struct SigningKeyRingTests {
    private static let start: Int64 = 1_000_000
    private static let schedule: SigningKeySchedule = {
        var schedule = SigningKeySchedule()
        schedule.period = 30 * 86_400
        schedule.lead = 7200
        return schedule
    }()

    /// Makes keys called 1, 2, 3…
    private final class Maker {
        private(set) var count = 0
        func make() -> String {
            count += 1
            return String(count)
        }
    }

    private func ring(_ maker: Maker) throws -> SigningKeyRing {
        var ring = SigningKeyRing([], lookedAt: nil, Self.schedule)
        _ = try ring.begin(at: Self.start, maker.make)
        return ring
    }

    /// Looks twice, a minute apart, since one look alone is not believed.
    private func look(_ ring: inout SigningKeyRing, at now: Int64, _ maker: Maker) throws -> [SigningKeyRing.Event] {
        try ring.look(at: now - 60, maker.make) + ring.look(at: now, maker.make)
    }

    private func states(_ ring: SigningKeyRing) -> [String] { ring.keys.map { "\($0.kid) \($0.state)" } }

    @Test("A key is published a whole period before it signs, and until all that it signed has expired") func life()
        throws
    {
        let maker = Maker()
        var ring = try ring(maker)
        #expect(states(ring) == ["1 current", "2 next"])
        let turn = Self.start + Self.schedule.period
        #expect(try look(&ring, at: turn - 1, maker) == [])
        #expect(try look(&ring, at: turn + 59, maker).count == 3)
        #expect(states(ring) == ["1 retiring", "2 current", "3 next"])
        let end = try #require(ring.keys[0].publishedUntil)
        #expect(end - (ring.keys[0].retiringAt ?? 0) >= 7920 + 120)
        _ = try look(&ring, at: end, maker)
        #expect(ring.published.map(\.kid) == ["1", "2", "3"])
        #expect(try look(&ring, at: end + 1, maker) == [.init(kid: "1", state: .retired)])
        #expect(ring.published.map(\.kid) == ["2", "3"])
    }

    @Test("On demand the next key signs once its lead is over, and not a second before") func demand() throws {
        let maker = Maker()
        var ring = try ring(maker)
        let may = Self.start + Self.schedule.lead
        #expect(throws: SigningKeyRing.Refusal.tooYoung(kid: "2", until: may)) {
            try ring.rotate(at: may - 1, maker.make)
        }
        #expect(maker.count == 2 && states(ring) == ["1 current", "2 next"])
        _ = try ring.rotate(at: may, maker.make)
        #expect(states(ring) == ["1 retiring", "2 current", "3 next"])
        #expect(throws: SigningKeyRing.Refusal.self) { try ring.rotate(at: may, maker.make) }
    }

    @Test("A revoked key is out at once; the one that signs is followed at once") func revocation() throws {
        let maker = Maker()
        var ring = try ring(maker)
        _ = try ring.revoke("1", at: Self.start + 1, maker.make)
        #expect(states(ring) == ["1 revoked", "2 current", "3 next"])
        _ = try ring.revoke("3", at: Self.start + 2, maker.make)
        #expect(states(ring) == ["1 revoked", "2 current", "3 revoked", "4 next"])
        _ = try ring.rotate(at: Self.start + 2 + Self.schedule.lead, maker.make)
        _ = try ring.revoke("2", at: Self.start + 10_000, maker.make)
        #expect(ring.published.map(\.kid) == ["4", "5"])
        for kid in ["1", "2", "3"] {
            #expect(throws: SigningKeyRing.Refusal.ended) { try ring.revoke(kid, at: 2_000_000, maker.make) }
        }
        #expect(throws: SigningKeyRing.Refusal.unknown) { try ring.revoke("9", at: 2_000_000, maker.make) }
    }

    @Test("A clock that jumps changes nothing until two looks agree; what it wrote does not stop the keys") func jump()
        throws
    {
        let maker = Maker()
        var ring = try ring(maker)
        let year: Int64 = 365 * 86_400
        _ = try look(&ring, at: Self.start + 600, maker)
        // Two replicas, one a year ahead, look in turns: nothing happens.
        for minute in 0..<10 as Range<Int64> {
            #expect(try ring.look(at: Self.start + year + minute * 60, maker.make) == [])
            #expect(try ring.look(at: Self.start + 700 + minute * 60, maker.make) == [])
        }
        // The clock of all is ahead for an hour, and the keys take turns.
        #expect(try look(&ring, at: Self.start + year, maker).count == 3)
        // Set right, what was written in the future begins anew, and the next turn is a period from now.
        let now = Self.start + 5000
        _ = try look(&ring, at: now, maker)
        #expect(ring.keys.allSatisfy { $0.publishedAt <= now && ($0.activatedAt ?? 0) <= now })
        #expect(throws: SigningKeyRing.Refusal.self) { try ring.rotate(at: now + 60, maker.make) }
        _ = try ring.rotate(at: now + Self.schedule.lead, maker.make)
        #expect(try look(&ring, at: Int64.min + 60, maker) == [] && look(&ring, at: .max, maker) == [])
    }

    @Test("Keys that were edited are not put right: nothing is done") func unsound() {
        let two = ["a", "b"].map { SigningKeyRecord(kid: $0, state: .current, publishedAt: 1, activatedAt: 1) }
        let maker = Maker()
        for keys in [two, [two[0]], []] as [[SigningKeyRecord]] {
            var ring = SigningKeyRing(keys, lookedAt: 5, Self.schedule)
            #expect(throws: SigningKeyRing.Refusal.unsound) { try ring.look(at: 10, maker.make) }
            #expect(throws: SigningKeyRing.Refusal.unsound) { try ring.rotate(at: 10, maker.make) }
            #expect(throws: SigningKeyRing.Refusal.unsound) { try ring.revoke("a", at: 10, maker.make) }
        }
        #expect(maker.count == 0)
    }

    @Test(
        "Whatever the schedule and its interruptions: what lives verifies, caches have the key, one key signs, one is next",
        arguments: 0..<30 as Range<UInt64>)
    func property(_ seed: UInt64) async throws {
        var random = Random(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ 1)
        var schedule = SigningKeySchedule()
        schedule.lead = .random(in: SigningKeySchedule.shortestLead...20_000, using: &random)
        schedule.period = .random(in: schedule.lead...40_000, using: &random)
        let maker = Maker()
        var ring = SigningKeyRing([], lookedAt: nil, schedule)
        var now = Self.start
        _ = try ring.begin(at: now, maker.make)
        // Until when something lives that a key signed: a token, or a status list.
        var signed: [String: Int64] = [:], cached = (keys: Set(ring.published.map(\.kid)), at: now)
        // A replica that learns of a turn late, and whose clock is late besides.
        var late = (kid: ring.current?.kid ?? "", at: now), turns = 0
        for step in 0..<4000 {
            // Other tests wait for this thread.
            if step.isMultiple(of: 100) { await Task.yield() }
            now += .random(in: 1...60, using: &random)
            let skew = Int64.random(in: -60...60, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4: turns += try ring.look(at: now + skew, maker.make).isEmpty ? 0 : 1
            case 4: if (try? ring.rotate(at: now + skew, maker.make)) != nil { turns += 1 }
            default: break
            }
            let current = try #require(ring.current).kid
            _ = try #require(ring.next)
            let published = Set(ring.published.map(\.kid))
            if now - late.at > 60 || Bool.random(using: &random) { late = (current, now) }
            for kid in [current, late.kid] {
                // Whoever's copy of the set is old has the key all the same.
                try #require(cached.keys.contains(kid), "the cached set of \(now - cached.at) seconds ago lacks \(kid)")
                signed[kid] = now + max(3600, SigningKeySchedule.longestValidity)
            }
            // max-age, and the minute after which a refresher looks again.
            if now - cached.at >= SigningKeySchedule.keySetMaximumAge { cached = (published, now) }
            signed = signed.filter { $0.value + 120 >= now }
            try #require(signed.keys.allSatisfy(published.contains))
        }
        #expect(turns > 0)
    }

    /// SplitMix64, so that a failure can be seen again.
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
