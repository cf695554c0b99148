import ArgumentParser
import StrictEncoding

struct APITokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api-token", abstract: "Make API tokens for people and relying parties.",
        subcommands: [APITokenCreateCommand.self])
}

struct APITokenCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a token. It is shown once; the verifier keeps only its SHA-256.",
        discussion:
            "Example:\n  carnet api-token create --role relying-party --name https://vault.example --out vault.token")

    @Option(help: "viewer, policy-author, admin or relying-party.")
    var role: String

    @Option(help: "Whose token it is; results of background checks are meant for this name.")
    var name: String

    @Option(help: "The file for the token, mode 0600; by default standard output.")
    var out: String?

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let body = JSONWriter.object { writer in
            writer.string("name", name)
            writer.string("role", role)
        }
        guard let token = try await options.send("POST", "/admin/v1/api-tokens", body: body)?["token"]?.string else {
            throw Failure(.refused, "The verifier gave no token.")
        }
        try Output.bytes(Array((token + "\n").utf8), to: out)
        if let out { Output.line("A \(role) token for \(name) is in \(out)") }
    }
}
