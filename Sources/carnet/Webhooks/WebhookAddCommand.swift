import ArgumentParser
import CarnetCommandLine
import StrictEncoding

struct WebhookAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a receiver. Its signing secret is shown once; the verifier keeps it wrapped.",
        discussion: """
            Examples:
              carnet webhook add pager --url https://pager.example/carnet --out pager.secret
              carnet webhook add prod --url https://siem.example/in --event node.failed \\
                  --event node.recovered --label env=prod --out siem.secret

            The verifier's --webhook-allow says which addresses outside the public internet it may ask.
            """)

    @Argument(help: "A name for it.")
    var name: String

    @Option(help: "Where messages go: https, no redirects are followed.")
    var url: String

    @Option(
        help: ArgumentHelp(
            "What is told: node.failed, node.recovered, passports.revoked, policy.changed. Repeat it; by default all.",
            valueName: "kind"))
    var event: [String] = []

    @Option(
        help: ArgumentHelp("Only of machines with this label. Repeat it: all have to match.", valueName: "name=value"))
    var label: [String] = []

    @Option(help: "The file for the secret, mode 0600; by default standard output.")
    var out: String?

    @OptionGroup var options: OperatorOptions

    private var labels: [(String, String)] {
        get throws {
            try label.map { text in
                let parts = text.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { throw ValidationError("--label \(text) is not NAME=VALUE.") }
                return (String(parts[0]), String(parts[1]))
            }
        }
    }

    func validate() throws {
        guard Set(try labels.map(\.0)).count == label.count else { throw ValidationError("A label is given twice.") }
    }

    func run() async throws {
        let labels = try labels
        let body = JSONWriter.object { writer in
            writer.string("name", name)
            writer.string("url", url)
            if !event.isEmpty { writer.array("events") { writer in for kind in event { writer.element(kind) } } }
            if !labels.isEmpty {
                writer.object("labels") { writer in for (name, value) in labels { writer.string(named: name, value) } }
            }
        }
        try await Output.keeping(in: out) {
            guard let secret = try await options.send("POST", "/admin/v1/webhooks", body: body)?["secret"]?.string
            else { throw Failure(.refused, "The verifier gave no secret.") }
            try Output.token(Array(secret.utf8), to: out)
        }
        if let out { Output.line("The secret of \(name) is in \(out). Try it: carnet webhook test \(name)") }
    }
}
