import ArgumentParser
import CarnetCommandLine
import CarnetResult
import CarnetServeOptions

/// The gate's program: it serves.
@main struct AdmissionProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carnet-admission",
        abstract: "Only attested nodes join a Kubernetes cluster, and only attested nodes stay.",
        discussion: """
            EXAMPLES
              carnet-admission --kubeconfig gate.kubeconfig --plain-http \\
                  --listen 127.0.0.1:8643 --gates approver,controller \\
                  --audience https://cluster-a.example \\
                  --issuer https://verifier.example
              carnet-admission --config /etc/carnet/admission.yaml --check-config
              carnet-admission help serve
            """,
        version: Release.version,
        subcommands: [ServeCommand.self],
        defaultSubcommand: ServeCommand.self)

    static func main() async {
        await Program.main(Self.self, configuring: ([ServeCommand.self], variables: Self.variables))
    }
}

extension AdmissionProgram: ListeningProgram {
    static let name = "carnet-admission"
    static let service = "gate"
    static let listen = "127.0.0.1:8643"
    static let variables = "CARNET_ADMISSION_"
}
