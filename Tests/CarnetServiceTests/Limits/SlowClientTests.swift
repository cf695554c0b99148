import CarnetService
import HTTPTypes
import ServiceHarness
import Synchronization
import Testing

/// Clients that take their time, on real sockets. `/echo` reads JSON of at most 1,000,000 bytes.
@Suite(.timeLimit(.minutes(3))) struct SlowClientTests {
    private static let routes = [
        hello(.public),
        Route(.post, "/echo", access: .public, accepts: ["application/json"], upTo: 1_000_000) { .json($0.body) },
        Route(.get, "/much", access: .public) { _ in .json([UInt8](repeating: 0x20, count: 32 << 20)) },
    ]
    private static let post =
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"

    private static var limits: ServiceLimits {
        var limits = ServiceLimits()
        limits.headSeconds = 2
        limits.bodyGraceSeconds = 1
        limits.requestSeconds = 3
        limits.answerSeconds = 1
        limits.idleSeconds = 60
        return limits
    }

    private static func refusals(_ registry: MetricRegistry, _ reason: Refusal) async throws -> String {
        let route = MetricsRoute.route(registry) {}
        let found = Mutex("")
        try await withService([route]) { client async throws in
            let text = try await client.call(.get, "/metrics").text
            found.withLock { $0 = text }
        }
        return found.withLock(\.self).split(separator: "\n").first {
            $0.hasPrefix("carnet_refusals_total{reason=\"\(reason.rawValue)\"}")
        }
        .map { String($0.split(separator: " ").last ?? "") } ?? "none"
    }

    /// Sends `start`, then a byte now and then, and says after how many tenths of a second the connection was closed.
    private static func drip(_ port: Int, _ start: String, atMost tenths: Int) async throws -> Int? {
        let connection = try RawConnection(port: port)
        connection.send(start)
        for tenth in 1...tenths {
            try await Task.sleep(for: .milliseconds(100))
            if connection.isClosed { return tenth }
            connection.send("a")
        }
        return nil
    }

    @Test(
        "A head that drips, on a new connection or behind an answered request, is cut off after its time",
        arguments: [
            "GET /hello HTTP/1.1\r\nHost: x\r\nX-Long: ", "GET /",
            "GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nX",
        ])
    func head(_ start: String) async throws {
        let registry = MetricRegistry(RequestMetrics.families)
        try await withService(Self.routes, limits: Self.limits, metrics: registry) { client async throws in
            #expect(try await Self.drip(client.port, start, atMost: 80) != nil)
            #expect(try await client.call(.get, "/hello").status == 200)
        }
        #expect(try await Self.refusals(registry, .slowHead) == "1")
    }

    @Test("A body that drips is cut off long before its longest time; one that comes steadily is read") func body()
        async throws
    {
        var limits = Self.limits
        limits.requestSeconds = 60
        limits.bodyBytesPerSecond = 200
        let registry = MetricRegistry(RequestMetrics.families)
        try await withService(Self.routes, limits: limits, metrics: registry) { client async throws in
            #expect(try await Self.drip(client.port, Self.post, atMost: 150) != nil)
            let steady = try RawConnection(port: client.port)
            steady.send(
                "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
            )
            for _ in 0..<12 {
                steady.send(String(repeating: " ", count: 5000))
                try await Task.sleep(for: .milliseconds(250))
            }
            #expect(try #require(await steady.readUntilClosed()).hasPrefix("HTTP/1.1 200"))
        }
        #expect(try await Self.refusals(registry, .slowBody) == "1")
    }

    @Test("A body without end is refused at its limit, however fast it comes") func endless() async throws {
        try await withService(Self.routes, limits: Self.limits) { client async throws in
            let connection = try RawConnection(port: client.port)
            connection.send(
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            let chunk = "4000\r\n" + String(repeating: " ", count: 0x4000) + "\r\n"
            await connection.flood(chunk, 200)
            for _ in 0..<80 where !connection.isClosed { try await Task.sleep(for: .milliseconds(100)) }
            #expect(connection.isClosed)
            #expect(try await client.call(.get, "/hello").status == 200)
        }
    }

    @Test("Whoever does not read the answer is cut off") func reader() async throws {
        let registry = MetricRegistry(RequestMetrics.families)
        try await withService(Self.routes, limits: Self.limits, metrics: registry) { client async throws in
            let connection = try RawConnection(port: client.port)
            connection.send("GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
            try await Task.sleep(for: .seconds(4))
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.utf8.count < 32 << 20)
        }
        #expect(try await Self.refusals(registry, .slowReader) == "1")
    }

    @Test("A client is not blamed for what waits behind its own slow request") func pipelined() async throws {
        let slow = Route(.get, "/slow", access: .public) { _ in
            try await Task.sleep(for: .seconds(3))
            return .noContent
        }
        try await withService(Self.routes + [slow], limits: Self.limits) { client async throws in
            let connection = try RawConnection(port: client.port)
            connection.send(
                "GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.contains("HTTP/1.1 204") && answer.contains("HTTP/1.1 200"))
        }
    }

    @Test("Five hundred connections that say nothing, or say it slowly, keep nobody out", arguments: [50, 5000])
    func many(_ connectionCount: Int) async throws {
        var limits = ServiceLimits()
        limits.connectionCount = connectionCount
        limits.connectionCountPerClient = connectionCount
        limits.headSeconds = 60
        limits.bodyGraceSeconds = 60
        limits.requestSeconds = 60
        try await withService(Self.routes, limits: limits) { client async throws in
            let slow = try await RawConnection.many(500, port: client.port) { "127.0.1.\($0 % 250 + 1)" }
            for (number, connection) in slow.enumerated() {
                connection.send(["", "GET /hel", Self.post + "{"][number % 3])
            }
            for _ in 0..<20 {
                // It does not wait until one of them is cut off, which takes a minute.
                let answer = try await RawConnection(port: client.port, timeout: 30).get("/hello")
                #expect(answer.hasPrefix("HTTP/1.1 200"))
            }
            if connectionCount > 500 { #expect(slow.allSatisfy { !$0.isClosed }) }
        }
    }

    @Test(
        "A connection that waits for its client makes room, whatever was answered on it before",
        arguments: [
            // A whole request, and a second one whose body is withheld.
            "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" + post,
            // An answer before the body has ended, and then its end.
            "POST /nope HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n",
        ])
    func held(_ start: String) async throws {
        var limits = ServiceLimits()
        limits.connectionCount = 16
        limits.connectionCountPerClient = 8
        limits.headSeconds = 120
        limits.bodyGraceSeconds = 120
        limits.requestSeconds = 120
        limits.idleSeconds = 120
        try await withService(Self.routes, limits: limits) { client async throws in
            let holders = try await RawConnection.many(16, port: client.port) { "127.0.0.\($0 / 8 + 2)" }
            for holder in holders { holder.send(start) }
            for holder in holders { #expect(await holder.hasAnswer()) }
            if start.hasPrefix("POST") { for holder in holders { holder.send("a") } }
            for number in 0..<8 {
                try await Task.sleep(for: .milliseconds(100))
                let answer = try await RawConnection(port: client.port, timeout: 10).get("/hello")
                #expect(answer.hasPrefix("HTTP/1.1 200"), "\(number)")
            }
        }
    }

    @Test("One client's connections make room for its own, and not for others'") func perClient() async throws {
        var limits = ServiceLimits()
        limits.connectionCountPerClient = 5
        limits.headSeconds = 120
        limits.idleSeconds = 120
        try await withService(Self.routes, limits: limits) { client async throws in
            let other = try RawConnection(port: client.port, from: "127.0.0.2")
            other.send("GET /he")
            var own: [RawConnection] = []
            for _ in 0..<20 {
                let connection = try RawConnection(port: client.port)
                connection.send("GET /he")
                own.append(connection)
            }
            for _ in 0..<50 where own.count(where: \.isClosed) < 15 { try await Task.sleep(for: .milliseconds(100)) }
            #expect(own.count(where: \.isClosed) == 15 && !other.isClosed)
        }
    }

    @Test("A full queue answers 503 at once, before a long body is sent, and health answers still") func queue()
        async throws
    {
        let (entered, enter) = AsyncStream<Void>.makeStream(), (opened, open) = AsyncStream<Void>.makeStream()
        let registry = MetricRegistry(RequestMetrics.families)
        let queue = WorkQueue(.init(running: 2, waiting: 0, seconds: 5), metrics: RequestMetrics(registry))
        let work = Route(.post, "/task", access: .public, accepts: ["application/json"], upTo: 1_000_000) { request in
            enter.yield()
            for await _ in opened { break }
            return .json(request.body)
        }.queued(in: queue)
        try await withService(Self.routes + HealthRoutes.routes {} + [work], metrics: registry) { client async throws in
            async let first = client.send(.post, "/task", "{}")
            _ = await entered.first { _ in true }
            let connection = try RawConnection(port: client.port, from: "127.0.0.1")
            connection.send(Self.post.replacing("/echo", with: "/task"))
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.hasPrefix("HTTP/1.1 503") && answer.lowercased().contains("retry-after: 5"))
            #expect(try await client.call(.get, "/readyz").status == 200)
            #expect(try await client.call(.get, "/hello").status == 200)
            open.finish()
            #expect(try await first.status == 200)
            #expect(try await client.send(.post, "/task", "{}").status == 200)
        }
        #expect(try await Self.refusals(registry, .queueFull) == "1")
    }

    @Test("The configuration's numbers of header fields and bytes hold") func headers() async throws {
        var limits = ServiceLimits()
        limits.headerFieldCount = 10
        try await withService(Self.routes, limits: limits) { client async throws in
            for (count, status) in [(8, "200"), (12, "400")] {
                let fields = (2..<count).map { "X-\($0): a\r\n" }.joined()
                let answer = try await RawConnection(port: client.port).get("/hello", fields)
                #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(count)")
            }
        }
    }
}
