@testable import CarnetClient
import Testing

@testable import CarnetAttester

/// How long a caller waits that is asked to come again later.
@Suite("Patience") struct PatienceTests {
    private func failure(_ status: Int, _ pause: Int?) -> ServiceConnection.Failure {
        ServiceConnection.Failure(
            code: .unreachable, status: status, problem: nil, description: "later", retryAfter: pause)
    }

    @Test("It waits twice, within a minute, and no longer than it is asked to") func bounds() {
        var patience = Patience { _, _ in }
        #expect(patience.wait(after: failure(429, 20), of: "POST") == 20)
        #expect(patience.wait(after: failure(503, 0), of: "GET") == 1)
        #expect(patience.wait(after: failure(429, 1), of: "GET") == nil)
        var other = Patience { _, _ in }
        #expect(other.wait(after: failure(429, 61), of: "GET") == nil)
        #expect(other.wait(after: failure(429, 50), of: "GET") == 50)
        #expect(other.wait(after: failure(429, 11), of: "GET") == nil)
    }

    @Test("What may have been done is not asked for again") func safety() {
        for (status, pause, method) in [
            (503, 1, "POST"), (503, 1, "DELETE"), (500, 1, "GET"), (401, 1, "GET"), (0, 1, "GET"), (429, nil, "GET"),
        ] as [(Int, Int?, String)] {
            var patience = Patience { _, _ in }
            #expect(patience.wait(after: failure(status, pause), of: method) == nil, "\(status) \(method)")
        }
    }
}
