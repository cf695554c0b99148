import HTTPTypes
import CarnetService
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
}
