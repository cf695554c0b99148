import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import Foundation
import StrictEncoding

struct NodeFindingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "findings",
        abstract: "Show how a machine's last appraisals ended, and why.",
        discussion: "Examples:\n  carnet node findings node-17\n  carnet node findings node-17 --limit 1 --json")

    @Argument(help: "The node's name or identifier.")
    var node: String

    @Option(help: "How many appraisals, newest first: 1 to 500.")
    var limit = 5

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    struct Appraisal: Encodable {
        let time, kind, outcome: String?
        let findings: [Finding]
    }

    func run() async throws {
        guard (1...500).contains(limit) else { throw ValidationError("--limit is 1 to 500.") }
        let identifier = try await options.nodeIdentifier(node)
        let root = try await options.send("GET", "/admin/v1/appraisals?node=\(identifier)&limit=\(limit)")
        let appraisals = try (root?["appraisals"]?.elements ?? []).map { node in
            Appraisal(
                time: node["time"]?.string, kind: node["kind"]?.string, outcome: node["outcome"]?.string,
                findings: try (node["findings"]?.elements ?? []).map(Finding.init))
        }
        if json { return try Output.json(appraisals) }
        guard !appraisals.isEmpty else { return Output.line("\(node) was never appraised.") }
        for appraisal in appraisals {
            Output.line("\(appraisal.time ?? "?")  \(appraisal.kind ?? "?")  \(appraisal.outcome ?? "?")")
            for finding in appraisal.findings {
                Output.line(finding.text)
            }
        }
    }
}
