@testable import CarnetService
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing

/// Three calls at once, then one every two seconds. Each address of 127.0.0.0/8 is a client; the clock stands still unless it is moved.
@Suite(.timeLimit(.minutes(2))) struct ClientRateTests {
    private let clock = SettableRateClock()
    private let registry = MetricRegistry(RequestMetrics.families)
    private static let routes =
        [
            hello(.public), hello(.operator(atLeast: .viewer), "/operators"),
            Route(.post, "/echo", access: .public, accepts: ["application/json"], upTo: 1 << 20) { .json($0.body) },
        ] + HealthRoutes.routes {}

    private func run(
        proxies: [String] = [], _ body: @Sendable (ServiceClient) async throws -> Void
    ) async throws {
        var limits = ServiceLimits()
        limits.clientRate = RateLimit(perMinute: 30, burst: 3)
        limits.trustedProxies = proxies.compactMap { AddressRange($0) }
        try await withService(
            Self.routes + [MetricsRoute.route(registry) {}], limits: limits, metrics: registry, rateClock: clock.clock,
            body)
    }

    /// The status of a call from an address of loopback.
    private static func status(_ port: Int, from source: String, _ path: String = "/hello", _ headers: String = "")
        async throws -> Int
    {
        let answer = try await RawConnection(port: port, from: source).get(path, headers)
        return Int(answer.dropFirst(9).prefix(3)) ?? 0
    }

    @Test("Beyond its rate a client is told when to come again, is let in then, and nobody else notices") func rate()
        async throws
    {
        try await run { client async throws in
            for _ in 0..<3 { #expect(try await Self.status(client.port, from: "127.0.0.1") == 200) }
            let refused = try await client.call(.get, "/hello")
            #expect(
                refused.status == 429 && refused.problem == "too-many-requests" && refused.header("Retry-After") == "2")
            #expect(refused.header("X-Request-ID") != nil)
            #expect(try refused.json["detail"]?.string?.contains("wait 2 seconds") == true)
            #expect(try await Self.status(client.port, from: "127.0.0.2") == 200)
            clock.advance(by: 1.9)
            #expect(try await Self.status(client.port, from: "127.0.0.1") == 429)
            clock.advance(by: 0.1)
            #expect(try await Self.status(client.port, from: "127.0.0.1") == 200)
            #expect(try await Self.status(client.port, from: "127.0.0.1") == 429)
            clock.advance(by: 600)
            for _ in 0..<3 { #expect(try await Self.status(client.port, from: "127.0.0.1") == 200) }
            #expect(try await Self.status(client.port, from: "127.0.0.1") == 429)
        }
    }

    @Test("Health and metrics are always answered, and say how many were refused") func alwaysServed() async throws {
        try await run { client async throws in
            for _ in 0..<5 { _ = try await client.call(.get, "/hello") }
            for path in ["/livez", "/readyz", "/metrics"] {
                for _ in 0..<10 { #expect(try await client.call(.get, path).status == 200) }
            }
            let text = try await client.call(.get, "/metrics").text
            #expect(text.contains("carnet_refusals_total{reason=\"client-rate\"} 2\n"))
            #expect(text.contains("carnet_refusals_total{reason=\"slow-head\"} 0\n"))
        }
    }

    @Test(
        "Paths that do not exist, other methods and wrong credentials are counted too",
        arguments: ["/nowhere", "/echo", "/operators"])
    func everything(_ path: String) async throws {
        try await run { client async throws in
            for _ in 0..<3 {
                #expect([401, 404, 405].contains(try await client.call(.get, path, token: "wrong").status))
            }
            #expect(try await client.call(.get, path, token: "wrong").status == 429)
        }
    }

    @Test("A body of which nothing is wanted is not waited for") func body() async throws {
        try await run { client async throws in
            for _ in 0..<3 { _ = try await client.call(.get, "/hello") }
            let connection = try RawConnection(port: client.port, timeout: 5)
            connection.send(
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n{")
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.hasPrefix("HTTP/1.1 429"))
        }
    }

    @Test("A pipeline of calls is counted call by call") func pipelining() async throws {
        try await run { client async throws in
            let connection = try RawConnection(port: client.port, timeout: 10)
            let call = "GET /hello HTTP/1.1\r\nHost: x\r\n"
            connection.send(String(repeating: call + "\r\n", count: 49) + call + "Connection: close\r\n\r\n")
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.ranges(of: "HTTP/1.1 200").count == 3)
            #expect(answer.ranges(of: "HTTP/1.1 429").count == 47)
        }
    }

    @Test("A good API token pays from its own bucket, and leaves its address's alone") func tokens() async throws {
        try await run { client async throws in
            for _ in 0..<3 { #expect(try await client.call(.get, "/operators", token: "viewer").status == 200) }
            let refused = try await client.call(.get, "/operators", token: "viewer")
            #expect(refused.status == 429 && refused.header("Retry-After") == "2")
            // Another token, from the same address.
            #expect(try await client.call(.get, "/operators", token: "admin").status == 200)
            // The refused call was the address's own; two are left.
            #expect(try await client.call(.get, "/hello").status == 200)
            #expect(try await client.call(.get, "/hello").status == 200)
            #expect(try await client.call(.get, "/hello").status == 429)
        }
    }

    @Test("Who is no trusted proxy changes nothing by saying that somebody else calls") func spoofing() async throws {
        try await run(proxies: ["127.0.0.9"]) { client async throws in
            for number in 0..<3 {
                #expect(
                    try await Self.status(
                        client.port, from: "127.0.0.1", "/hello", "X-Forwarded-For: 203.0.113.\(number)\r\n") == 200)
            }
            #expect(
                try await Self.status(client.port, from: "127.0.0.1", "/hello", "X-Forwarded-For: 203.0.113.9\r\n")
                    == 429)
            #expect(
                try await Self.status(client.port, from: "127.0.0.1", "/hello", "X-Forwarded-For: 127.0.0.9\r\n") == 429
            )
            // Nor does it use up the bucket of whom it names.
            #expect(
                try await Self.status(client.port, from: "127.0.0.9", "/hello", "X-Forwarded-For: 203.0.113.1\r\n")
                    == 200)
        }
    }

    @Test("Behind a trusted proxy each client has its own bucket, whatever it wrote into the header itself")
    func proxy() async throws {
        try await run(proxies: ["127.0.0.9"]) { client async throws in
            for number in 0..<3 {
                #expect(
                    try await Self.status(
                        client.port, from: "127.0.0.9", "/hello", "X-Forwarded-For: 1.1.1.\(number), 198.51.100.7\r\n")
                        == 200)
            }
            #expect(
                try await Self.status(client.port, from: "127.0.0.9", "/hello", "X-Forwarded-For: 198.51.100.7\r\n")
                    == 429)
            #expect(
                try await Self.status(client.port, from: "127.0.0.9", "/hello", "X-Forwarded-For: 198.51.100.8\r\n")
                    == 200)
            // All of an IPv6 network are one.
            for number in 0..<3 {
                #expect(
                    try await Self.status(
                        client.port, from: "127.0.0.9", "/hello", "X-Forwarded-For: 2001:db8::\(number)\r\n") == 200)
            }
            #expect(
                try await Self.status(client.port, from: "127.0.0.9", "/hello", "X-Forwarded-For: 2001:db8::ffff:1\r\n")
                    == 429)
        }
    }
}
