import CarnetTesting
import Fixtures

/// A TPM with an authority of its own, in a directory that is gone when the value is.
final class TemporaryTPM {
    let tpm: SoftwareTPM
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        tpm = try SoftwareTPM.provision(in: folder.path + "/tpm")
    }

    deinit { tpm.stop() }
}
