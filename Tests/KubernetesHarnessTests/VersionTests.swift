import HTTPTypes
import KubernetesHarness
import Testing

/// What both servers tell about themselves.
@Suite struct VersionTests {
    @Test("The server tells its version, and that it is well") func version() async throws {
        let cluster = try await TestCluster.shared()
        #expect(try await cluster.call(.get, "/version").json["major"]?.string == "1")
        #expect(try await cluster.call(.get, "/healthz").text == "ok")
    }
}
