import ArgumentParser
import CarnetCommandLine
import StrictEncoding

/// One message, as the verifier tells it.
struct WebhookDelivery: Encodable {
    let id, event, lane, state, createdAt, nextAt, endedAt, lastError: String?
    let number, attempts, lastStatus: Int64?

    init(_ node: JSONNode) {
        id = node["id"]?.string
        event = node["event"]?.string
        lane = node["lane"]?.string
        state = node["state"]?.string
        createdAt = node["created_at"]?.string
        nextAt = node["next_at"]?.string
        endedAt = node["ended_at"]?.string
        lastError = node["last_error"]?.string
        number = node["number"]?.integer
        attempts = node["attempts"]?.integer
        lastStatus = node["last_status"]?.integer
    }
}

struct WebhookDeliveriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract: "Show a receiver's messages, newest first: which arrived, wait, or were given up.",
        discussion: "Example:\n  carnet webhook deliveries pager --limit 10 --json")

    @Argument(help: "Its name or identifier.")
    var name: String

    @Option(help: "How many: 1 to 500.")
    var limit = 20

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    func validate() throws {
        guard (1...500).contains(limit) else { throw ValidationError("--limit is 1 to 500.") }
    }

    func run() async throws {
        let path = try await options.webhook(name).path
        let answer = try await options.send("GET", path + "/deliveries?limit=\(limit)")
        let entries = (answer?["deliveries"]?.elements ?? []).map(WebhookDelivery.init)
        if json { return try Output.json(entries) }
        guard !entries.isEmpty else { return Output.line("Nothing was ever sent.") }
        Output.table(
            headings: ["time", "event", "state", "attempts", "message", ""],
            entries.map { entry in
                [
                    entry.createdAt ?? "", entry.event ?? "", entry.state ?? "", String(entry.attempts ?? 0),
                    entry.id ?? "", entry.lastError ?? "",
                ]
            })
    }
}
