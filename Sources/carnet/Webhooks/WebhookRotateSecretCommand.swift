import ArgumentParser
import CarnetCommandLine
import StrictEncoding

struct WebhookRotateSecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-secret",
        abstract: "Give a receiver another secret. For a while messages are signed with both.",
        discussion: """
            Examples:
              carnet webhook rotate-secret pager --out pager.secret
              carnet webhook rotate-secret pager --overlap 0 --out pager.secret   # it leaked
            """)

    @Argument(help: "Its name or identifier.")
    var name: String

    @Option(help: ArgumentHelp("How long the present secret signs, too: 0 to 604800.", valueName: "seconds"))
    var overlap: Int64 = 86_400

    @Option(help: "The file for the secret, mode 0600; by default standard output.")
    var out: String?

    @OptionGroup var options: OperatorOptions

    func validate() throws {
        guard (0...604_800).contains(overlap) else { throw ValidationError("--overlap is 0 to 604800.") }
    }

    func run() async throws {
        let path = try await options.webhook(name).path
        let body = JSONWriter.object { $0.integer("overlap_seconds", overlap) }
        try await Output.keeping(in: out) {
            guard let secret = try await options.send("POST", path + "/secret", body: body)?["secret"]?.string else {
                throw Failure(.refused, "The verifier gave no secret.")
            }
            try Output.token(Array(secret.utf8), to: out)
        }
        if let out { Output.line("The new secret of \(name) is in \(out)") }
    }
}
