import CarnetService
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import Testing
import VerifierHarness

@Suite struct DescriptionTests {
    @Test("Docs/openapi.yaml describes the calls that exist, and no other; every operation has a name of its own")
    func openAPI() async throws {
        let operations = try Description().operations
        let routes = try await Verifier(VerifierUnderTest { $0.servesMetrics = true }.configuration).routes
        #expect(operations.map(\.call).sorted() == routes.map { "\($0.method) \($0.path)" }.sorted())
        #expect(Set(operations.map(\.id)).count == operations.count)
    }
}
