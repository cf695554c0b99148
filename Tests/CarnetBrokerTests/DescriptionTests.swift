import BrokerHarness
import CarnetBroker
import CarnetService
import Fixtures
import Testing

@Suite struct BrokerDescriptionTests {
    @Test(
        "Docs/broker-openapi.yaml describes the calls that exist, and no other; every operation has a name of its own")
    func openAPI() async throws {
        let operations = try Description(of: "broker-openapi.yaml").operations
        let broker = try BrokerUnderTest { $0.servesMetrics = true }
        let routes = try await Broker(broker.configuration).routes
        #expect(operations.map(\.call).sorted() == routes.map { "\($0.method) \($0.path)" }.sorted())
        #expect(Set(operations.map(\.id)).count == operations.count)
    }
}
