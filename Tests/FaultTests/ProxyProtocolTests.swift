import Fixtures
import HTTPTypes
import ServiceHarness
import Testing
import VerifierHarness

/// A verifier behind HAProxy, which says whose each connection is.
@Suite(.timeLimit(.minutes(3))) struct ProxyProtocolTests {
    @Test(
        "Behind HAProxy with send-proxy-v2 each client has its own rate, HAProxy's questions are answered, and nobody gets past it",
        .enabled(if: LoadBalancer.isInstalled))
    func balancer() async throws {
        let replica = try Replica(
            database: nil, key: TemporaryFolder.path("kek"), policy: try SimulatedTPM.policyFile(),
            [
                "--trusted-proxy", "127.0.0.1", "--proxy-protocol", "--client-rate", "1", "--client-burst", "2",
                "--log-level", "debug",
            ])
        try replica.start()
        defer { replica.kill() }
        let balancer = try LoadBalancer(to: [replica.port], sendingHeader: true)
        try #require(try await eventually { (try? await balancer.client.call(.get, "/readyz").status) == 200 })
        func status(from source: String) async throws -> String {
            let connection = try RawConnection(port: balancer.port, from: source)
            return String(await connection.get("/.well-known/jwks.json").prefix(12))
        }
        for source in ["127.0.0.5", "127.0.0.6"] {
            for expected in ["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 429"] {
                #expect(try await status(from: source) == expected, "\(source)")
            }
        }
        // Not even from the proxy's machine, without a header.
        for source in ["127.0.0.1", "127.0.0.5"] {
            #expect(await try RawConnection(port: replica.port, from: source).get("/readyz") == "")
        }
    }
}
