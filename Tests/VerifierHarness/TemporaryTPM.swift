package import CarnetTesting
import Fixtures

/// A TPM with an authority of its own, in a directory that is gone when the value is.
package final class TemporaryTPM {
    /// The TPM, never booted.
    package let tpm: SoftwareTPM
    private let folder: TemporaryDirectory

    /// A new TPM.
    package init() throws {
        folder = try TemporaryDirectory()
        tpm = try SoftwareTPM.provision(in: folder.path + "/tpm")
    }

    deinit { tpm.stop() }
}
