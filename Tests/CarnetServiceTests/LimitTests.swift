import HTTPTypes
import CarnetService
import ServiceHarness
import Synchronization
import Testing

/// `/echo` reads JSON of at most 1000 bytes; `/hello` has no body.
@Suite(.timeLimit(.minutes(5))) struct LimitTests {
    private static let routes = [
        hello(.public),
        Route(.post, "/echo", access: .public, accepts: ["application/json", "application/x-test+json"], upTo: 1000) {
            .json($0.body)
        },
        Route(.post, "/secret", access: .operator(atLeast: .admin), accepts: ["application/json"], upTo: 1000) {
            .json($0.body)
        },
        Route(
            .post, "/item/{id}", access: .public, accepts: ["application/json"], upTo: 1_000_000,
            admitting: { parameters in
                if parameters["id"] != "mine" { throw Problem.notFound("There is no such item.") }
            },
            handler: { .json($0.body) }),
        Route(.get, "/query", access: .public) { request in
            try request.query.requireOnly(["a", "b"])
            return .json(Array("\"\(request.query["a"] ?? "none")\"".utf8))
        },
    ]

    @Test("A body of exactly the limit is read, one byte more is not", arguments: [false, true])
    func body(chunked: Bool) async throws {
        try await withService(Self.routes) { client in
            let exact = [UInt8](repeating: 0x20, count: 1000)
            let good = try await client.call(.post, "/echo", type: "application/json", body: exact, chunked: chunked)
            #expect(good.status == 200)
            #expect(good.body == exact)
            for count in [1001, 2_000_000] {
                let bytes = [UInt8](repeating: 0x20, count: count)
                let answer = try await client.call(
                    .post, "/echo", type: "application/json", body: bytes, chunked: chunked)
                #expect(answer.status == 413)
                #expect(answer.problem == "too-large")
            }
        }
    }

    @Test("What the path does not name is refused before the body comes") func path() async throws {
        try await withService(Self.routes) { client in
            let good = try await client.call(.post, "/item/mine", type: "application/json", body: [0x7B, 0x7D])
            #expect(good.status == 200)
            let connection = try RawConnection(port: client.port)
            connection.send(
                "POST /item/yours HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500000\r\n\r\n{"
            )
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.hasPrefix("HTTP/1.1 404"))
        }
    }

    @Test("A call without a body does not read one") func noBody() async throws {
        try await withService(Self.routes) { client in
            let status = try await client.call(.get, "/hello", body: [1]).status
            #expect(status == 413)
        }
    }

    @Test(
        "A body of another kind, of two kinds, of none or compressed is refused before it is read",
        arguments: [
            [], [("Content-Type", "text/plain")], [("Content-Type", "application/jsonx")],
            [("Content-Type", "application/json"), ("Content-Type", "application/json")],
            [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
        ])
    func mediaType(_ headers: [(String, String)]) async throws {
        try await withService(Self.routes) { client in
            let answer = try await client.call(.post, "/echo", headers: headers, body: Array("{}".utf8))
            #expect(answer.status == 415)
            #expect(answer.problem == "unsupported-media-type")
            #expect(answer.header("Accept") == "application/json, application/x-test+json")
        }
    }

    @Test("Media types are compared without case and parameters") func mediaTypeSpelling() async throws {
        try await withService(Self.routes) { client in
            for type in ["application/json", "Application/JSON; charset=utf-8", "application/x-test+json ;a=b"] {
                let status = try await client.send(.post, "/echo", type: type, "{}").status
                #expect(status == 200)
            }
        }
    }

    @Test("A stranger's body is not read") func strangersBody() async throws {
        try await withService(Self.routes) { client in
            let connection = try RawConnection(port: client.port)
            connection.send(
                "POST /secret HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n")
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.hasPrefix("HTTP/1.1 401"))
        }
    }

    @Test("All bodies together have a limit too, and their room is given back") func budget() async throws {
        // A client gets a sixteenth of it, 1500 bytes, and what is ordinary has no room for one body more.
        var limits = ServiceLimits()
        limits.totalBodyByteCount = 24_000
        let (entered, enter) = AsyncStream<Void>.makeStream()
        let (opened, open) = AsyncStream<Void>.makeStream()
        let slow = Route(.post, "/slow", access: .public, accepts: ["application/json"], upTo: 1000) { request in
            enter.yield()
            for await _ in opened { break }
            return .json(request.body)
        }
        let body = [UInt8](repeating: 0x20, count: 1000)
        try await withService(Self.routes + [slow], limits: limits) { client in
            async let first = client.call(.post, "/slow", type: "application/json", body: body)
            for await _ in entered { break }
            let refused = try await client.call(.post, "/echo", type: "application/json", body: body)
            #expect(refused.status == 503 && refused.header("Retry-After") == "1")
            let small = try await client.call(.post, "/echo", type: "application/json", body: Array(body.prefix(400)))
            #expect(small.status == 200)
            open.finish()
            let answered = try await first
            #expect(answered.status == 200)
            for _ in 0..<5 {
                let again = try await client.call(.post, "/echo", type: "application/json", body: body)
                #expect(again.status == 200)
            }
        }
    }

    @Test("Large bodies that nobody ends do not keep ordinary ones out, and take turns") func ordinaryBodies()
        async throws
    {
        var limits = ServiceLimits()
        limits.totalBodyByteCount = 64_000
        limits.ordinaryBodyByteCount = 500
        let running = Mutex((now: 0, most: 0))
        let handler: Route.Handler = { request in
            running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            try await Task.sleep(for: .milliseconds(100))
            running.withLock { $0.now -= 1 }
            return .json(request.body)
        }
        let json = ["application/json"]
        let work = Route(.post, "/task", access: .public, accepts: json, upTo: 40_000, handler: handler)
        let desk = Route(
            .post, "/desk", access: .operator(atLeast: .viewer), accepts: json, upTo: 40_000, handler: handler)
        try await withService(Self.routes + [work], limits: limits) { client in
            // Three clients have all that strangers may have of the rest.
            var held: [RawConnection] = []
            for number in 2...4 {
                let connection = try RawConnection(port: client.port, from: "127.0.0.\(number)")
                connection.send(
                    "POST /task HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40000\r\n\r\n"
                        + String(repeating: " ", count: 11_000))
                held.append(connection)
            }
            let large = [UInt8](repeating: 0x20, count: 3000), ordinary = [UInt8](repeating: 0x20, count: 500)
            try await Task.sleep(for: .seconds(1))
            let refused = try await client.call(.post, "/task", type: "application/json", body: large)
            #expect(refused.status == 503)
            for _ in 0..<5 {
                let answer = try await client.call(.post, "/task", type: "application/json", body: ordinary)
                #expect(answer.status == 200)
            }
            withExtendedLifetime(held) {}
        }
        running.withLock { $0 = (0, 0) }
        limits.totalBodyByteCount = 640_000
        try await withService([desk], limits: limits) { client in
            // An eighth of the whole at once: four of these.
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let body = [UInt8](repeating: 0x20, count: 20_000)
                        return try await client.call(
                            .post, "/desk", token: number % 2 == 0 ? "viewer" : "admin", type: "application/json",
                            body: body
                        ).status
                    }
                }
                for try await status in group { #expect(status == 200) }
            }
        }
        #expect((1...4).contains(running.withLock(\.most)))
    }

    @Test("Before more of a body is read than an ordinary one has, the path is looked at again") func largeBodies()
        async throws
    {
        var limits = ServiceLimits()
        limits.ordinaryBodyByteCount = 100
        let route = Route(
            .post, "/task/{id}", access: .public, accepts: ["application/json"], upTo: 1_000_000
        ) { .json(Array("\($0.body.count)".utf8)) }.admittingLargeBodies { parameters in
            if parameters["id"] != "mine" { throw Problem.notFound("There is no such item.") }
        }
        try await withService([route], limits: limits) { client in
            for (path, count, status) in [
                ("/task/mine", 100, 200), ("/task/mine", 5000, 200), ("/task/yours", 100, 200),
                ("/task/yours", 101, 404),
            ] {
                let body = [UInt8](repeating: 0x20, count: count)
                let answer = try await client.call(.post, path, type: "application/json", body: body)
                #expect(answer.status == status, "\(path) \(count)")
            }
            let connection = try RawConnection(port: client.port)
            connection.send(
                "POST /task/yours HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
                    + String(repeating: " ", count: 5000))
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.hasPrefix("HTTP/1.1 404"))
        }
    }

    enum Headers: CaseIterable {
        case oneLongField, manyFields, longTogether

        var text: String {
            switch self {
            case .oneLongField: "X: " + String(repeating: "a", count: 20_000)
            case .manyFields: (0..<200).map { "X-\($0): a" }.joined(separator: "\r\n")
            case .longTogether:
                (0..<10).map { "X-\($0): " + String(repeating: "a", count: 4000) }.joined(separator: "\r\n")
            }
        }
    }

    @Test("A body that is announced too long is refused before any of it arrives") func announced() async throws {
        try await withService(Self.routes) { client in
            let connection = try RawConnection(port: client.port)
            connection.send(
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n")
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test("Headers beyond the limits are refused", arguments: Headers.allCases)
    func headers(_ headers: Headers) async throws {
        try await withService(Self.routes) { client in
            let connection = try RawConnection(port: client.port)
            connection.send("GET /hello HTTP/1.1\r\nHost: x\r\n\(headers.text)\r\n\r\n")
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.hasPrefix("HTTP/1.1 400") || answer.isEmpty)
        }
    }

    @Test("A body that drips in is cut off after its time, however lively the connection") func dripping() async throws
    {
        var limits = ServiceLimits()
        limits.requestSeconds = 1
        limits.idleSeconds = 60
        try await withService(Self.routes, limits: limits) { client in
            let connection = try RawConnection(port: client.port)
            connection.send(
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
            for _ in 0..<6 {
                try await Task.sleep(for: .milliseconds(250))
                connection.send("a")
            }
            let answer = try #require(await connection.readUntilClosed())
            #expect(!answer.contains("200 OK"))
            let status = try await client.call(.get, "/hello").status
            #expect(status == 200)
        }
    }

    @Test("A body that ends before its announced length is nobody's fault but the caller's") func shortBody()
        async throws
    {
        let log = LogLines()
        try await withService(Self.routes, logger: log.logger()) { client in
            for _ in 0..<3 {
                let connection = try RawConnection(port: client.port)
                connection.send(
                    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
                connection.finishSending()
                _ = await connection.readUntilClosed()
            }
        }
        #expect(!log.text.contains { $0.contains("\"internal\"") })
    }

    @Test(
        "A head that never ends and a silent connection are closed",
        arguments: ["GET /hello HTTP/1.1\r\nHost: x\r\nX-", ""])
    func silent(_ start: String) async throws {
        var limits = ServiceLimits()
        limits.idleSeconds = 1
        try await withService(Self.routes, limits: limits) { client in
            let connection = try RawConnection(port: client.port)
            connection.send(start)
            for _ in 0..<6 {
                try await Task.sleep(for: .milliseconds(250))
                if !start.isEmpty { connection.send("a") }
            }
            let answer = try #require(await connection.readUntilClosed())
            #expect(!answer.contains("200 OK"))
        }
    }

    @Test(
        "A query that is malformed, ambiguous or unknown to the call is refused",
        arguments: [
            ("?a=1&a=2", "?a"), ("?a=%zz", "?"), ("?a=%f", "?"), ("?a=%ff", "?"), ("?a=%00", "?"), ("?c=1", "?c"),
            ("?A=1", "?A"),
        ])
    func badQuery(_ query: String, _ member: String) async throws {
        try await withService(Self.routes) { client in
            let connection = try RawConnection(port: client.port)
            connection.send("GET /query\(query) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let answer = try #require(await connection.readUntilClosed())
            #expect(answer.hasPrefix("HTTP/1.1 400"))
            #expect(answer.contains("malformed-request"))
            #expect(answer.contains("\"member\":\"\(member)\""))
        }
    }

    @Test(
        "A query is decoded once", arguments: [("?a=x%2By", "x+y"), ("?a=%2525", "%25"), ("?b=1", "none"), ("?a=", "")])
    func query(_ query: String, _ expected: String) async throws {
        try await withService(Self.routes) { client in
            let text = try await client.call(.get, "/query" + query).text
            #expect(text == "\"\(expected)\"")
        }
    }
}
