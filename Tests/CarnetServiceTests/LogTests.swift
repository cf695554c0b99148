import HTTPTypes
import CarnetService
import Logging
import ServiceHarness
import StrictEncoding
import Testing

@Suite struct LogTests {
    @Test("Each entry is one line of JSON, whatever is in it") func lines() throws {
        let log = LogLines()
        var logger = log.logger()
        logger[metadataKey: "node"] = "a\n{\"level\":\"error\"}\u{1}\u{1B}[31m"
        logger.info(
            "hello",
            metadata: [
                "b": "2", "a": ["x", "y"], "count": .stringConvertible(-7), "large": .stringConvertible(UInt64.max),
                "share": .stringConvertible(0.5),
            ])
        let line = try #require(log.text.first)
        #expect(line.hasSuffix("}\n") && line.split(separator: "\n").count == 1)
        #expect(line.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0A })
        let json = try JSONDocument(parsing: Array(line.utf8), maximumByteCount: 1000).root
        #expect(json["time"]?.string == "1970-01-01T00:00:00Z")
        #expect(json["level"]?.string == "info")
        #expect(json["message"]?.string == "hello")
        // Whole numbers are numbers; a text that looks like one stays a text.
        #expect(json["b"]?.string == "2" && json["count"]?.integer == -7)
        #expect(json["large"]?.string == "18446744073709551615" && json["share"]?.string == "0.5")
    }

    @Test("A request's line has its route and status, and nothing of its path, query, headers or body")
    func requests() async throws {
        let log = LogLines()
        let route = Route(
            .post, "/session/{id}", access: .operator(atLeast: .viewer), accepts: ["application/json"], upTo: 100
        ) { _ in throw Problem.conflict("used", title: "Used", "It was used.") }
        try await withService([route], logger: log.logger(.trace)) { client in
            let answer = try await client.call(
                .post, "/session/SECRET1?q=SECRET2", token: "viewer", type: "application/json",
                headers: [("X-SECRET3", "SECRET4")], body: Array("SECRET5".utf8))
            #expect(answer.status == 409)
            let named = try await client.call(.post, "/session/x", headers: [("X-Request-ID", "edge-7.a_B")])
            let own = try #require(named.header("X-Request-ID"))
            #expect(own != "edge-7.a_B")
            #expect(log.text.contains { $0.contains(own) && $0.contains("\"caller_request\":\"edge-7.a_B\"") })
            for bad in ["SECRET A", "SECRET\"", "SECRET/", String(repeating: "SECRET-", count: 10)] {
                _ = try await client.call(.get, "/session/x", headers: [("X-Request-ID", bad)])
            }
            _ = try await client.call(.get, "/SECRET6", token: "SECRET7")
            _ = try await client.call(.post, "/session/SECRET8", token: "SECRET9")
            let id = try #require(answer.header("X-Request-ID"))
            let line = try #require(log.text.first { $0.contains(id) && $0.contains("\"status\"") })
            #expect(line.contains("\"route\":\"/session/{id}\""))
            #expect(line.contains("\"status\":409,") || line.contains("\"status\":409}"))
            #expect(line.contains("\"problem\":\"used\""))
        }
        #expect(!log.text.joined().contains("SECRET"))
        #expect(log.text.count >= 3)
        // Hummingbird's own lines, about its listener, belong to no request.
        let lines = log.text.filter { $0.contains("\"message\":\"request\"") }
        #expect(lines.count >= 8 && lines.allSatisfy { $0.contains("\"request\":\"") })
    }
}
