import ArgumentParser
import CarnetCommandLine
import StrictEncoding

struct AuditPruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Drop old entries from the ledger. Export them first: they are gone.",
        discussion: """
            What stays can still be checked: each chain begins where a signed checkpoint says, and an entry tells of the pruning.

            Example:
              carnet audit export --to ledger.jsonl && carnet audit prune --before 2026-01-01T00:00:00Z
            """)

    @Option(
        help: "Drop what the last checkpoint from before this time covers: at least a day ago, as 2026-01-01T00:00:00Z."
    )
    var before: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    /// What was dropped.
    private struct Pruned: Encodable {
        let entries: Int64
        let checkpoint: Int64?
    }

    func run() async throws {
        guard let time = RFC3339.parse(before) else {
            throw ValidationError("\(before) is not a time such as 2026-01-01T00:00:00Z.")
        }
        let body = JSONWriter.object { $0.integer("before", time) }
        let answer = try await options.send("POST", "/admin/v1/ledger/pruning", body: body)
        let pruned = Pruned(entries: answer?["entries"]?.integer ?? 0, checkpoint: answer?["checkpoint"]?.integer)
        if json { return try Output.json(pruned) }
        guard let checkpoint = pruned.checkpoint else {
            return Output.line(
                "Nothing was dropped: no checkpoint from before \(before) covers entries that are still there.")
        }
        Output.line("Dropped \(pruned.entries) entries. The ledger begins at checkpoint \(checkpoint) now.")
    }
}
