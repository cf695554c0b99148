import CarnetClient
import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetResult

/// The machine's side: talks to the TPM, enrols, attests, proves possession, opens secrets.
@main
struct Agent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carnet-agent",
        abstract: "Earn a passport for this machine with its TPM, and use it.",
        discussion: """
            Examples:
              carnet-agent info
              carnet-agent run --verifier https://verifier.example --name node-17
              carnet-agent status
              carnet-agent enrol --verifier https://verifier.example --name node-17
              carnet-agent attest --verifier https://verifier.example --out passport.jwt
              carnet-agent prove passport.jwt --method GET --url https://vault.example/secrets/1
              carnet-agent open secret.jwe

            Exit status: 0 done, 1 refused, 2 wrong usage or unreadable input, 3 TPM or verifier not available.
            """,
        version: Release.version,
        subcommands: [
            InfoCommand.self, EnrolCommand.self, AttestCommand.self, ProveCommand.self, OpenCommand.self,
            EvidenceCommand.self, KeyEncryptionKeyCommand.self,
            RunCommand.self, StatusCommand.self, SealCommand.self, UnsealCommand.self, PhaseCommand.self,
            SecretCommand.self, DiskCommand.self, KubeletCommand.self,
        ])

    static func main() async {
        // Only what runs for long takes settings from the environment and a file.
        let group = KubeletCommand.configuration.commandName.map { [$0] } ?? []
        switch CommandLine.arguments.dropFirst().first {
        case RunCommand.configuration.commandName:
            await Program.main(Self.self, configuring: ([RunCommand.self], "CARNET_AGENT_"), explaining: explain)
        case KubeletCommand.configuration.commandName:
            await Program.main(
                Self.self, configuring: ([KubeletRunCommand.self], "CARNET_KUBELET_"), under: group,
                explaining: explain)
        default: await Program.main(Self.self, explaining: explain)
        }
    }

    private static func explain(_ error: any Error) -> Failure? {
        switch error {
        case let error as TPMDeviceError:
            Failure([.notForThisTPM, .stateChanged].contains(error.code) ? .refused : .unreachable, error.description)
        case let error as ServiceConnection.Failure:
            Failure(
                error.code == .usage ? .unreadable : error.code == .unreachable ? .unreachable : .refused,
                error.description)
        case let error as AttesterState.Unusable: Failure(.unreadable, error.description)
        case let error as AttesterClient.Unreadable: Failure(.unreachable, error.description)
        case let error as DiskError:
            Failure(
                error.code == .refused ? .refused : error.code == .unreadable ? .unreadable : .unreachable,
                error.description)
        case let error as LogError: Failure(error.code == .unreadable ? .unreachable : .unreadable, error.description)
        default: nil
        }
    }
}
