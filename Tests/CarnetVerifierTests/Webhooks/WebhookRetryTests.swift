import Testing

@testable import CarnetRecords
@testable import CarnetVerifier

/// When messages are sent again, and when a machine's outcome is worth telling: values alone.
@Suite struct WebhookRetryTests {
    @Test("Pauses double from five seconds to four hours, half of each by chance") func delays() {
        for (attempt, whole) in [(0, 5), (1, 10), (2, 20), (10, 5120), (11, 10_240), (12, 14_400), (29, 14_400)] {
            #expect(WebhookRetry.delay(attempt: Int64(attempt), jitter: 1) == Int64(whole))
            let half = WebhookRetry.delay(attempt: Int64(attempt), jitter: 0)
            #expect((Int64(whole) / 2...Int64(whole) / 2 + 1).contains(half))
        }
        #expect(WebhookRetry.delay(attempt: .max, jitter: 7) == WebhookRetry.longestDelay)
        #expect(WebhookRetry.delay(attempt: -1, jitter: -7) == 3)
    }

    @Test("What arrived is over, whatever its age") func delivered() {
        #expect(WebhookRetry(attempts: 29, createdAt: 0).after(isDelivered: true, at: 1 << 40, jitter: 0) == .delivered)
    }

    @Test("The last attempt, and the last that would come too late, give up") func givingUp() {
        let last = WebhookRetry.maximumAttempts - 1
        #expect(
            WebhookRetry(attempts: last, createdAt: 0).after(isDelivered: false, at: 1, jitter: 0)
                == .giveUp(.attempts))
        #expect(
            WebhookRetry(attempts: last - 1, createdAt: 0).after(isDelivered: false, at: 1, jitter: 1)
                == .again(at: 1 + WebhookRetry.longestDelay))
        let age = WebhookRetry.maximumAge
        #expect(WebhookRetry(attempts: 0, createdAt: 0).after(isDelivered: false, at: age, jitter: 1) == .giveUp(.age))
        #expect(
            WebhookRetry(attempts: 0, createdAt: 0).after(isDelivered: false, at: age - 5, jitter: 1)
                == .again(at: age))
        // A clock that was set back.
        #expect(WebhookRetry(attempts: 0, createdAt: 900).after(isDelivered: false, at: 1, jitter: 1) == .again(at: 6))
    }

    @Test("What a receiver asks for makes a pause longer, never shorter, and never endless") func retryAfter() {
        func step(_ seconds: Int64) -> WebhookRetry.Step {
            WebhookRetry(attempts: 0, createdAt: 0).after(isDelivered: false, retryAfter: seconds, at: 0, jitter: 1)
        }
        #expect(step(0) == .again(at: 5) && step(-9) == .again(at: 5))
        #expect(step(60) == .again(at: 60))
        #expect(step(.max) == .again(at: WebhookRetry.longestDelay))
    }

    @Test("A message that never arrives ends, and is sent at most thirty times in three days") func ending() {
        for jitter in [0, 0.5, 1] {
            var attempts: Int64 = 0, now: Int64 = 1000
            while case .again(let time) = WebhookRetry(attempts: attempts, createdAt: 1000).after(
                isDelivered: false, at: now, jitter: jitter)
            {
                #expect(time > now)
                (attempts, now) = (attempts + 1, time)
                if attempts > 100 { break }
            }
            #expect((12..<30).contains(attempts) && now - 1000 <= WebhookRetry.maximumAge)
        }
    }

    @Test("From the third failure in a row on a receiver rests, at most a minute, until it takes a message")
    func receiver() {
        var state = ReceiverState(), pauses: [Int64] = []
        for _ in 0..<12 {
            state.answered(isDelivered: false, at: 100)
            pauses.append(max(0, state.resumesAt - 100))
        }
        #expect(pauses == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60])
        #expect(state.isFailing && state.failingSince == 100 && state.lastSuccessAt == nil)
        state.answered(isDelivered: true, at: 200)
        #expect(!state.isFailing && state.failures == 0 && state.resumesAt == 0 && state.failingSince == nil)
        state.answered(isDelivered: false, at: 300)
        #expect(!state.isFailing && state.failingSince == 300 && state.lastSuccessAt == 200)
    }

    @Test("A machine fails once and recovers once, and what is no verdict does neither") func health() {
        func turns(_ outcomes: [LedgerEntry.Outcome]) -> [NodeHealth.Turn?] {
            var health: NodeHealth?
            return outcomes.map { outcome in
                let (next, turn) = NodeHealth.after(outcome, from: health)
                health = next
                return turn
            }
        }
        #expect(turns([.affirming, .affirming, .contraindicated, .contraindicated]) == [nil, nil, .failed, nil])
        #expect(turns([.contraindicated, .affirming, .affirming]) == [.failed, .recovered, nil])
        #expect(turns([.warning, .contraindicated, .failed, .warning]) == [.failed, nil, nil, nil])
        #expect(turns([.none, .warning, .none, .warning, .affirming]) == [nil, .failed, nil, nil, .recovered])
        #expect(turns([.none, .affirming, .none, .affirming]) == [nil, nil, nil, nil])
        #expect(turns([.affirming, .unreadable, .revoked, .failed]) == [nil, nil, nil, .failed])
    }
}
