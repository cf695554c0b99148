import ArgumentParser
import CarnetBroker
import CarnetServeOptions
import CarnetCommandLine
import CarnetRecords
import CarnetResult
import CarnetServiceCommand
import CarnetStorage

/// The broker's program: it serves, unless it is told to do something else.
@main struct BrokerProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carnet-broker",
        abstract: "Keeps secrets, and gives them to machines whose passports say that they may have them.",
        discussion: """
            EXAMPLES
              carnet-broker --data ./broker --plain-http \\
                  --listen 127.0.0.1:8553 --url http://127.0.0.1:8553 \\
                  --audience https://vault.example \\
                  --issuer https://verifier.example \\
                  --verifier http://127.0.0.1:8443 --verifier-plain-http
              carnet-broker bootstrap --data ./broker --out broker.token
              carnet-broker --config /etc/carnet/broker.yaml --print-config
              carnet-broker help serve
              carnet-broker rewrap --config /etc/carnet/broker.yaml \\
                  --key-encryption-key old --new-key-encryption-key new
            """,
        version: Release.version,
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

extension BrokerProgram: ServiceProgram {
    static let name = "carnet-broker"
    static let service = "broker"
    static let listen = "127.0.0.1:8553"
    static let variables = "CARNET_BROKER_"
    static let migrations = BrokerSchema.migrations
    static let form = RecordsForm.broker
}
