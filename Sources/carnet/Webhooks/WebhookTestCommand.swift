import ArgumentParser
import CarnetCommandLine
import StrictEncoding

struct WebhookTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Send a message that says nothing but that it arrived, and wait for the receiver's answer.",
        discussion: "Example:\n  carnet webhook test pager")

    @Argument(help: "Its name or identifier.")
    var name: String

    @Option(help: ArgumentHelp("How long to wait for the first attempt.", valueName: "seconds"))
    var wait = 30

    @OptionGroup var options: OperatorOptions

    func validate() throws {
        guard (1...600).contains(wait) else { throw ValidationError("--wait is 1 to 600.") }
    }

    func run() async throws {
        let (entry, path) = try await options.webhook(name)
        let before = Set(try await tests(path).compactMap(\.id))
        _ = try await options.send("POST", path + "/test")
        let clock = ContinuousClock(), end = clock.now.advanced(by: .seconds(wait))
        while clock.now < end {
            if let test = try await tests(path).first(where: { !before.contains($0.id ?? "") }),
                let attempts = test.attempts,
                attempts > 0
            {
                guard test.state == "delivered" else {
                    throw Failure(.refused, "It did not arrive, and is sent again. \(test.lastError ?? "")")
                }
                return Output.line("\(entry.name ?? name) took \(test.id ?? "it")")
            }
            try await Task.sleep(for: .milliseconds(250))
        }
        throw Failure(.refused, "It was not sent within \(wait) seconds. See `carnet webhook show \(name)`.")
    }

    private func tests(_ path: String) async throws -> [WebhookDelivery] {
        let answer = try await options.send("GET", path + "/deliveries?limit=100")
        return (answer?["deliveries"]?.elements ?? []).map(WebhookDelivery.init).filter { $0.event == "webhook.test" }
    }
}
