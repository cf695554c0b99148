import ArgumentParser

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a token, a quote or an event log says. Nothing is verified here.",
        subcommands: [InspectTokenCommand.self, InspectQuoteCommand.self, InspectEventLogCommand.self])
}
