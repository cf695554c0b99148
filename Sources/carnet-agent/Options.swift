import CarnetClient
public import ArgumentParser
public import CarnetAttester
import CarnetCommandLine
import CarnetEvidence

/// Which TPM, and where the agent remembers its keys.
struct TPMOptions: ParsableArguments {
    @Option(help: "The TPM, as a TCTI string: device:/dev/tpmrm0, swtpm:path=SOCKET, swtpm:host=127.0.0.1,port=2321.")
    var tcti = TPMDevice.standardDevice

    @Option(help: "The directory of the agent's state. It holds nothing secret.")
    var state = "/var/lib/carnet-agent"

    func device() throws -> TPMDevice {
        guard !tcti.isEmpty else { throw ValidationError("--tcti names a TPM, as device:/dev/tpmrm0.") }
        return try TPMDevice(tcti)
    }

    /// The state of an enrolled machine.
    func enrolledState() throws -> AttesterState {
        guard let state = try AttesterState(in: state) else {
            throw AttesterState.Unusable.missing(self.state)
        }
        return state
    }
}

extension AttesterState.Unusable {
    static func missing(_ directory: String) -> any Error {
        Failure(
            .unreadable,
            "There is no state in \(directory): enrol first with `carnet-agent enrol`, or name the directory with --state."
        )
    }
}

/// How closely keys are bound.
struct BindingOptions: ParsableArguments {
    @Option(
        help:
            "How closely the keys are bound: tpm (this TPM), or tpm-state (this TPM while the PCRs stay as they are quoted)."
    )
    var keyProtection: KeyBinding.Closeness = .tpm

    @Flag(help: "Bind a storage key as well, so that secrets can be granted as TPM import blobs.")
    var storageKey = false

    var binding: KeyBinding { KeyBinding(keyProtection, includesStorageKey: storageKey) }
}

extension KeyBinding.Closeness: ExpressibleByArgument {}

/// Which verifier.
struct VerifierOptions: ParsableArguments {
    @Option(help: "The verifier's URL, https://…")
    var verifier: String

    @Option(name: .customLong("ca-file"), help: "A PEM file of authorities to trust instead of the system's.")
    var authorityFile: String?

    @Flag(help: "Allow http:// to a loopback address.")
    var plainHTTP = false

    func connection() throws -> ServiceConnection {
        try ServiceConnection(verifier, allowPlainHTTP: plainHTTP, authorityFile: authorityFile)
    }
}
