import CarnetService
import Fixtures
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
        let (released, release) = AsyncStream<Void>.makeStream()
        let slow = Route(.get, "/slow", access: .public) { _ in
            enter.yield()
            _ = await released.first { _ in true }
            return .json(Array("{}".utf8))
        }
        var limits = ServiceLimits()
        limits.drainSeconds = 6
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
        #expect(try await eventually { try await client.call(.get, "/readyz").status == 503 })
        let ready = try await client.call(.get, "/readyz"), alive = try await client.call(.get, "/livez")
        #expect(ready.status == 503 && ready.header("connection") == "close" && alive.status == 200)
        #expect(try await eventually { (try? RawConnection(port: client.port)) == nil })
        release.yield()
        #expect(try await answer.status == 200)
        try await ended
    }

    @Test("What takes longer than a stop allows is cut off") func cutOff() async throws {
        var limits = ServiceLimits()
        limits.finishSeconds = 1
        let (entered, enter) = AsyncStream<Void>.makeStream()
        let endless = Route(.get, "/endless", access: .public) { _ in
            enter.yield()
            // Longer than the suite's time limit.
            try await Task.sleep(for: .seconds(1000))
            return .noContent
        }
        try await withService([endless], limits: limits) { client in
            Task { try await client.call(.get, "/endless") }
            _ = await entered.first { _ in true }
        }
    }
}
