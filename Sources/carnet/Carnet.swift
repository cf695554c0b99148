import ArgumentParser

/// Everything that is neither the verifier nor the machine: look, check, decide, compare.
@main
struct Carnet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carnet",
        abstract: "Inspect evidence and passports, check them offline, run a verifier, compare both models.",
        discussion: """
            Examples:
              carnet inspect token passport.jwt
              carnet verify passport.jwt --jwks jwks.json --issuer https://verifier.example --audience https://vault.example
              carnet policy check prod-node.yaml
              carnet node approve node-17

            Exit status: 0 yes, 1 no (refused, or not what was asked), 2 wrong usage or unreadable input, 3 not reachable.
            """,
        subcommands: [
            InspectCommand.self, VerifyCommand.self, GrantCommand.self, PolicyCommand.self, TrustCommand.self,
            NodeCommand.self, APITokenCommand.self, BackgroundCheckCommand.self, CompareCommand.self,
        ])

    static func main() async {
        var used: any ParsableCommand.Type = Self.self
        do {
            var command = try parseAsRoot()
            used = type(of: command)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            failure.printAndExit()
        } catch {
            // Help and version are answers; everything else here is wrong usage.
            guard exitCode(for: error) != .success else { exit(withError: error) }
            Failure(.unreadable, used.fullMessage(for: error)).printAndExit()
        }
    }
}
