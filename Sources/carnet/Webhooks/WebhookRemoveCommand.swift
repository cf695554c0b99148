import ArgumentParser
import CarnetCommandLine

struct WebhookRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a receiver, with every message that waits for it.",
        discussion: "Example:\n  carnet webhook remove pager")

    @Argument(help: "Its name or identifier.")
    var name: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let (entry, path) = try await options.webhook(name)
        _ = try await options.send("DELETE", path)
        Output.line("Removed \(entry.name ?? name)")
    }
}
