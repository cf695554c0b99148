import ArgumentParser
import CarnetServeOptions
import CarnetCommandLine
import CarnetRecords
import CarnetServiceCommand
import CarnetStorage
import CarnetVerifier

/// The verifier's program: it serves, unless it is told to do something else.
@main struct VerifierProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carnet-verifier",
        abstract: "Checks machines' TPM evidence and signs short-lived passports for those that are as they should be.",
        discussion: """
            EXAMPLES
              carnet-verifier --data ./verifier --plain-http \\
                  --issuer https://verifier.example \\
                  --audience https://vault.example
              carnet-verifier bootstrap --data ./verifier --out alice.token
              carnet-verifier --config /etc/carnet/verifier.yaml --print-config
              carnet-verifier help serve
              carnet-verifier rewrap --config /etc/carnet/verifier.yaml \\
                  --key-encryption-key old --new-key-encryption-key new
            """,
        version: Build.version,
        subcommands: [ServeCommand.self, BootstrapCommand<Self>.self, RewrapCommand<Self>.self],
        defaultSubcommand: ServeCommand.self)

    static func main() async {
        await Program.main(
            Self.self,
            configuring: (
                [ServeCommand.self, BootstrapCommand<Self>.self, RewrapCommand<Self>.self], variables: Self.variables
            ))
    }
}

extension VerifierProgram: ServiceProgram {
    static let name = "carnet-verifier"
    static let service = "verifier"
    static let listen = "127.0.0.1:8443"
    static let variables = "CARNET_VERIFIER_"
    static let migrations = Schema.migrations
    static let form = RecordsForm.verifier
}
