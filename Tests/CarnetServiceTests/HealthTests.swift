import HTTPTypes
@testable import CarnetService
import ServiceHarness
import Testing

@Suite struct HealthTests {
    private struct DiskFull: Error, CustomStringConvertible { let description = "disk full on /dev/sda1" }

    @Test("A process that runs is alive; one that cannot work is not ready, and does not tell strangers why")
    func health() async throws {
        try await withService(HealthRoutes.routes { throw DiskFull() }) { client in
            #expect(try await client.call(.get, "/livez").status == 200)
            let answer = try await client.call(.get, "/readyz")
            #expect(answer.status == 503)
            #expect(answer.problem == "unavailable")
            #expect(answer.header("Retry-After") == "5")
            #expect(!answer.text.contains("sda1"))
        }
        try await withService(HealthRoutes.routes {}) { client in
            let status = try await client.call(.get, "/readyz").status
            #expect(status == 200)
        }
    }

    @Test("A service that stops because it was told to is not ready, and its log has no error for that")
    func draining() async throws {
        let drain = Drain(), log = LogLines()
        drain.begin()
        try await withService(HealthRoutes.routes(draining: drain) {}, logger: log.logger()) { client in
            let status = try await client.call(.get, "/readyz").status
            #expect(status == 503)
            let line = try #require(log.text.first { $0.contains("it was asked to stop") })
            #expect(line.contains("\"level\":\"info\""), "\(line)")
        }
        try await withService(HealthRoutes.routes { throw DiskFull() }, logger: log.logger()) { client in
            let status = try await client.call(.get, "/readyz").status
            #expect(status == 503)
            #expect(log.text.contains { $0.contains("sda1") && $0.contains("\"level\":\"error\"") })
        }
    }
}
