import CarnetService
import HTTPTypes
import Logging
import ServiceHarness
import ServiceLifecycle
import Testing

/// What happens between the request to stop and the end.
@Suite(.timeLimit(.minutes(2))) struct DrainTests {
    @Test("Asked to stop, it is not ready at once, still answers, finishes what it has begun, and takes nothing new")
    func drain() async throws {
        let drain = Drain(), (entered, enter) = AsyncStream<Void>.makeStream()
        let slow = Route(.get, "/slow", access: .public) { _ in
            enter.yield()
            try await Task.sleep(for: .seconds(4))
            return .json(Array("{}".utf8))
        }
        var limits = ServiceLimits()
        limits.drainSeconds = 2
        let (ports, announce) = AsyncStream<Int>.makeStream()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let service = try HTTPService(
            HealthRoutes.routes(draining: drain) {} + [slow], authenticator: TestAuthenticator(),
            address: #require(ListenAddress("127.0.0.1:0")), security: .plainHTTP, limits: limits, drain: drain,
            logger: logger, onListening: { announce.yield($0) })
        let group = ServiceGroup(services: [service], logger: logger)
        async let ended: Void = group.run()
        let client = ServiceClient(port: try #require(await ports.first { _ in true }))
        #expect(try await client.call(.get, "/readyz").status == 200)
        async let answer = client.call(.get, "/slow")
        _ = await entered.first { _ in true }
        await group.triggerGracefulShutdown()
        try await Task.sleep(for: .milliseconds(500))
        let ready = try await client.call(.get, "/readyz"), alive = try await client.call(.get, "/livez")
        #expect(ready.status == 503 && ready.header("connection") == "close" && alive.status == 200)
        try await Task.sleep(for: .milliseconds(2500))
        #expect(throws: (any Error).self) { try RawConnection(port: client.port) }
        #expect(try await answer.status == 200)
        try await ended
    }

    @Test("What takes longer than a stop allows is cut off") func cutOff() async throws {
        var limits = ServiceLimits()
        limits.finishSeconds = 1
        let (entered, enter) = AsyncStream<Void>.makeStream()
        let endless = Route(.get, "/endless", access: .public) { _ in
            enter.yield()
            try await Task.sleep(for: .seconds(100))
            return .noContent
        }
        let start = ContinuousClock.now
        try await withService([endless], limits: limits) { client in
            Task { try await client.call(.get, "/endless") }
            _ = await entered.first { _ in true }
        }
        #expect(ContinuousClock.now - start < .seconds(30))
    }
}
