import StrictEncoding
import CarnetService
import HTTPTypes
import ServiceHarness
import Testing

@Suite struct ProblemTests {
    private struct Secret: Error, CustomStringConvertible { let description = "the expected value is hunter2" }
    private struct Teapot: ProblemConvertible {
        var problem: Problem { .conflict("teapot", title: "Short and stout", "Pour.", member: "spout") }
    }

    @Test("A problem names its type, status, member and request") func shape() async throws {
        let route = Route(.get, "/x", access: .public) { _ in throw Teapot() }
        try await withService([route]) { client in
            let answer = try await client.call(.get, "/x")
            #expect(answer.status == 409)
            #expect(answer.header("content-type") == "application/problem+json")
            let json = try answer.json
            #expect(json["type"]?.string == "tag:carnet.dev,2026:problem/teapot")
            #expect(json["title"]?.string == "Short and stout")
            #expect(json["status"]?.integer == 409)
            #expect(json["detail"]?.string == "Pour.")
            #expect(json["member"]?.string == "spout")
            let id = try #require(answer.header("X-Request-ID"))
            #expect(json["instance"]?.string == "urn:carnet:request:" + id)
            #expect(answer.header("cache-control") == "no-store")
        }
    }

    @Test("An error that nobody foresaw tells the caller nothing") func unforeseen() async throws {
        try await withService([Route(.get, "/x", access: .public) { _ in throw Secret() }]) { client in
            let answer = try await client.call(.get, "/x")
            #expect(answer.status == 500)
            #expect(answer.problem == "internal")
            #expect(!answer.text.contains("hunter2") && !answer.text.contains("Secret"))
        }
    }

    @Test("What a problem repeats of the request is cut") func bounded() async throws {
        let long = String(repeating: "ü\"\n", count: 100_000)
        let route = Route(.get, "/x", access: .public) { _ in throw Problem.malformed(long, member: long) }
        try await withService([route]) { client in
            let answer = try await client.call(.get, "/x")
            #expect(answer.body.count < 16_000)
            #expect(answer.problem == "malformed-request")
        }
    }

    @Test("Unknown paths and methods are problems too") func unknown() async throws {
        try await withService([hello(.public), hello(.operator(atLeast: .admin), "/nodes/{id}")]) { client in
            #expect(try await client.call(.get, "/nowhere").problem == "not-found")
            #expect(try await client.call(.get, "/").problem == "not-found")
            let wrong = try await client.call(.post, "/hello")
            #expect(wrong.status == 405)
            #expect(wrong.problem == "method-not-allowed")
            #expect(wrong.header("Allow") == "GET, HEAD")
            #expect(try await client.call(.delete, "/nodes/7").status == 405)
        }
    }

    @Test("Identifiers of requests are made here and differ") func identifiers() async throws {
        try await withService([hello(.public)]) { client in
            let first = try await client.call(.get, "/hello", headers: [("X-Request-ID", "mine")])
            let second = try await client.call(.get, "/hello")
            #expect(first.header("X-Request-ID")?.count == 16)
            #expect(first.header("X-Request-ID") != second.header("X-Request-ID"))
        }
    }
}
