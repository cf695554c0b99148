import ArgumentParser

struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook",
        abstract: "Who is told when a machine fails or recovers, passports are withdrawn, or a policy changes.",
        subcommands: [
            WebhookAddCommand.self, WebhookListCommand.self, WebhookShowCommand.self, WebhookRemoveCommand.self,
            WebhookTestCommand.self, WebhookDeliveriesCommand.self, WebhookRotateSecretCommand.self,
        ])
}
