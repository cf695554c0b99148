import Fixtures
import Foundation

extension SimulatedTPM {
    /// A file with a policy for ``goodLog``.
    package static func policyFile() throws -> String {
        let path = TemporaryFolder.path("policy")
        try policy().write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
