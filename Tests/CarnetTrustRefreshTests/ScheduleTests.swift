import Testing

@testable import CarnetTrustRefresh

@Suite("When an issuer is asked again")
struct ScheduleTests {
    @Test("One at a time, and no more often than allowed in either direction")
    func bounds() {
        var schedule = RefreshSchedule(RefreshLimits())
        let first = schedule.begin(at: 100), second = schedule.begin(at: 100)
        let third = schedule.beginOnDemand(at: 100)
        #expect(first && !second && !third)
        for (keeping, due) in [(0, 30), (-5, 30), (60, 60), (3601, 3600), (.max, 3600), (nil, 3600)]
            as [(Int64?, Int64)]
        {
            schedule.succeeded(at: 100, keepingFor: keeping)
            #expect(schedule.dueAt == 100 + due)
            let early = schedule.begin(at: 99 + due), then = schedule.begin(at: 100 + due)
            #expect(!early && then)
        }
    }

    @Test("Pauses double with jitter up to a bound, and end with the first success")
    func backOff() {
        var schedule = RefreshSchedule(RefreshLimits()), low = schedule
        for pause: Int64 in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300] {
            schedule.failed(at: 0, jitter: 1)
            low.failed(at: 0, jitter: 0)
            #expect(schedule.dueAt == pause && low.dueAt == max(1, pause / 2))
        }
        for _ in 0..<1000 { schedule.failed(at: 0, jitter: 7) }
        #expect(schedule.dueAt == 300)
        schedule.succeeded(at: 0, keepingFor: 60)
        schedule.failed(at: 0, jitter: 1)
        #expect(schedule.dueAt == 2)
    }

    @Test("Any number of tokens with unknown keys causes one refresh in an interval, and never breaks a pause")
    func unknownKeys() {
        var schedule = RefreshSchedule(RefreshLimits()), count = 0
        for second: Int64 in 0..<600 {
            for _ in 0..<50 where schedule.beginOnDemand(at: 1000 + second) {
                count += 1
                schedule.succeeded(at: 1000 + second, keepingFor: 300)
            }
        }
        #expect(count == 10)
        count = 0
        var failing = RefreshSchedule(RefreshLimits())
        for second: Int64 in 0..<3600 {
            while failing.beginOnDemand(at: second) || failing.begin(at: second) {
                count += 1
                failing.failed(at: second, jitter: 1)
            }
        }
        #expect(count < 25, "\(count)")
        // A clock that is set back does not stop it.
        var back = RefreshSchedule(RefreshLimits())
        let ahead = back.beginOnDemand(at: 1_000_000)
        back.succeeded(at: 1_000_000, keepingFor: 60)
        let after = back.beginOnDemand(at: 1000)
        #expect(ahead && after)
    }

    @Test(
        "Cache-Control is read strictly",
        arguments: [
            ("public, max-age=300", 300), ("max-age=0", 0), ("no-store", 0), ("max-age=300, no-cache", 0),
            ("MAX-AGE=\"7\"", 7), ("max-age=9, max-age=5", 5), ("max-age=-1", 0), ("max-age=x", 0), ("max-age", 0),
            ("max-age=99999999999999999999", Int64.max), ("public", nil), ("", nil), ("s-maxage=4", nil),
        ] as [(String, Int64?)])
    func cacheControl(field: String, expected: Int64?) {
        #expect(CacheControl.maximumAge([field]) == expected)
    }

    @Test("https only, unless plain HTTP on loopback is asked for by name")
    func urls() throws {
        for url in [
            "http://verifier.example", "ftp://a", "a", "", "https://u@a", "https://a?b", "https://a#b", "https://",
        ] {
            #expect(throws: TrustSource.UnusableURL.self) { try TrustSource.issuer(at: url, allowsPlainHTTP: true) }
        }
        #expect(throws: TrustSource.UnusableURL.self) { try TrustSource.issuer(at: "http://127.0.0.1:1") }
        #expect(throws: TrustSource.UnusableURL.self) {
            try TrustSource.issuer(at: "http://127.0.0.1.evil.example", allowsPlainHTTP: true)
        }
        #expect(throws: TrustSource.UnusableURL.self) {
            try TrustSource.issuer(at: "https://a", jwksURI: "http://a/jwks")
        }
        _ = try TrustSource.issuer(at: "http://127.0.0.1:1", allowsPlainHTTP: true)
        _ = try TrustSource.issuer(at: "https://verifier.example/")
    }
}
