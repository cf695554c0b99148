import Fixtures
import CarnetVerifier
import Foundation
import VerifierHarness

/// A verifier that starts with a policy for ``SimulatedTPM/goodLog``.
func verifierWithPolicy(
    _ configure: @escaping @Sendable (inout VerifierConfiguration) -> Void = { _ in }
) throws -> VerifierUnderTest {
    let path = try policyFile()
    return try VerifierUnderTest { configuration in
        configuration.policyFile = path
        configure(&configuration)
    }
}

/// A file with a policy for ``SimulatedTPM/goodLog``.
func policyFile() throws -> String {
    let path = TemporaryFolder.path("policy")
    try SimulatedTPM.policy().write(toFile: path, atomically: true, encoding: .utf8)
    return path
}
