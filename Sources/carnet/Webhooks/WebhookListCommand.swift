import ArgumentParser
import CarnetCommandLine

struct WebhookListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the receivers, and how they fare.",
        discussion: "Example:\n  carnet webhook list --json")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let entries = try await options.webhooks()
        if json { return try Output.json(entries) }
        guard !entries.isEmpty else { return Output.line("Nobody is told anything. See `carnet webhook add`.") }
        Output.table(
            headings: ["name", "state", "waiting", "events", "labels", "url"],
            entries.map { entry in
                [
                    entry.name ?? "", entry.state ?? "", String(entry.waiting ?? 0),
                    entry.events.joined(separator: " "), entry.selection, entry.url ?? "",
                ]
            })
    }
}

struct WebhookShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one receiver: what it is told, since when it fails, and why.",
        discussion: "Example:\n  carnet webhook show pager")

    @Argument(help: "Its name or identifier.")
    var name: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let path = try await options.webhook(name).path
        guard let answer = try await options.send("GET", path) else {
            throw Failure(.refused, "There is no webhook \(name). See `carnet webhook list`.")
        }
        let entry = WebhookEntry(answer)
        if json { return try Output.json(entry) }
        var rows = [
            ("name", entry.name ?? ""), ("identifier", entry.id ?? ""), ("url", entry.url ?? ""),
            ("events", entry.events.joined(separator: " ")), ("labels", entry.selection), ("state", entry.state ?? ""),
            ("waiting", String(entry.waiting ?? 0)), ("since", entry.createdAt ?? ""), ("by", entry.createdBy ?? ""),
        ]
        if let since = entry.failingSince { rows.append(("failing since", since)) }
        if let error = entry.lastError { rows.append(("last error", error)) }
        if let time = entry.lastSuccessAt { rows.append(("last success", time)) }
        Output.table(rows)
    }
}
