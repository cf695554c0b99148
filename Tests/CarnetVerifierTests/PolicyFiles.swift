import Fixtures
@testable import CarnetRecords
import CarnetVerifier
import Foundation
import VerifierHarness

/// A verifier that starts with a policy for ``SimulatedTPM/goodLog``.
func verifierWithPolicy(
    _ configure: @escaping @Sendable (inout VerifierConfiguration) -> Void = { _ in }
) throws -> VerifierUnderTest {
    let path = try SimulatedTPM.policyFile()
    return try VerifierUnderTest { configuration in
        configuration.policyFile = path
        configure(&configuration)
    }
}
