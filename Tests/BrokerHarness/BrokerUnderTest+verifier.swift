package import CarnetBroker
import CarnetRelyingService
import CarnetService
import Foundation
package import ServiceHarness
package import VerifierHarness

extension BrokerUnderTest {
    /// A broker that believes a running verifier, asks it about evidence as a relying party, and was never started.
    ///
    /// - Parameter client: A client of the verifier.
    package static func trusting(
        _ verifier: VerifierUnderTest, _ client: ServiceClient,
        _ configure: @escaping @Sendable (inout BrokerConfiguration) -> Void = { _ in }
    ) async throws -> BrokerUnderTest {
        let token = try await verifier.token(.relyingParty, named: url, client)
        let file = verifier.folder + "/broker-token-" + UUID().uuidString
        try PrivateFile.create(file, Array(token.utf8))
        let base = "http://127.0.0.1:\(client.port)"
        return try BrokerUnderTest { configuration in
            configuration.trust = .issuer(
                VerifierUnderTest.issuer, base: base, authorityFile: nil, allowsPlainHTTP: true)
            configuration.backgroundChecks = BackgroundCheckSettings(
                url: base, tokenFile: file, allowsPlainHTTP: true)
            configure(&configuration)
        }
    }
}
