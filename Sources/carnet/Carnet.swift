import ArgumentParser
import CarnetResult
import CarnetCommandLine

/// Everything that is neither the verifier nor the machine: look, check, decide, compare.
@main
struct Carnet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carnet",
        abstract: "Inspect evidence and passports, check them offline, administer a verifier, compare both models.",
        discussion: """
            Examples:
              carnet inspect token passport.jwt
              carnet verify passport.jwt --jwks jwks.json --issuer https://verifier.example --audience https://vault.example
              carnet policy check prod-node.yaml
              carnet node approve node-17
              carnet revoke node node-17 --reason "Stolen from rack 4"
              carnet audit verify

            Exit status: 0 yes, 1 no (refused, or not what was asked), 2 wrong usage or unreadable input, 3 not reachable.
            """,
        version: Release.version,
        subcommands: [
            InspectCommand.self, VerifyCommand.self, GrantCommand.self, AdmitCommand.self, PolicyCommand.self,
            ReferenceCommand.self,
            TrustCommand.self, NodeCommand.self, APITokenCommand.self, BackgroundCheckCommand.self, CompareCommand.self,
            RevokeCommand.self, StatusCommand.self, BundleCommand.self, SigningKeyCommand.self, AuditCommand.self,
            WebhookCommand.self, SecretCommand.self, EscrowCommand.self, ApproveStateCommand.self,
            AdmissionCommand.self,
        ])

    static func main() async { await Program.main(Self.self) }
}
