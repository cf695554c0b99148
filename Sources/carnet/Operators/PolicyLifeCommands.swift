import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import StrictEncoding

struct PolicyRehearseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehearse",
        abstract: "Try a policy on what every machine sent last, and say who would be locked out.",
        discussion: """
            Examples:
              carnet policy rehearse rack.yaml
              carnet policy rehearse rack.yaml --json

            Exit status 1 when a machine would be worse off than it is now.
            """)

    @Argument(help: "The policy's file; - is standard input.")
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    struct Fate: Encodable {
        let name, evidenceFrom, now, then: String
        let findings: [Finding]
        var isWorse: Bool { Self.rank(then) > Self.rank(now) }

        private static func rank(_ word: String) -> Int {
            ["affirming", "warning", "none", "contraindicated", "failed"].firstIndex(of: word) ?? 9
        }
    }

    struct Report: Encodable {
        let policy: String
        let nodes: [Fate]
        let withoutEvidence: [String]
    }

    func run() async throws {
        let root = try await options.send(
            "POST", "/admin/v1/policies/rehearsal", contentType: "application/yaml", body: Input.bytes(file))
        let fates = try (root?["nodes"]?.elements ?? []).map { node in
            Fate(
                name: node["name"]?.string ?? "?", evidenceFrom: node["evidence_from"]?.string ?? "?",
                now: node["now"]?.string ?? "?", then: node["then"]?.string ?? "?",
                findings: try (node["findings"]?.elements ?? []).map(Finding.init))
        }
        let missing = root?["without_evidence"]?.elements?.compactMap(\.string) ?? []
        let report = Report(policy: root?["policy"]?.string ?? "?", nodes: fates, withoutEvidence: missing)
        if json { try Output.json(report) } else { Self.print(report) }
        let worse = fates.filter(\.isWorse).count
        if worse > 0 { throw Failure(.refused, json ? "" : "\(worse) of \(fates.count) machines would be worse off.") }
    }

    private static func print(_ report: Report) {
        Output.line("Under \(report.policy):")
        Output.table(
            headings: ["machine", "now", "then", "evidence from"],
            report.nodes.map { [$0.name, $0.now, $0.then, $0.evidenceFrom] })
        guard !report.nodes.isEmpty || !report.withoutEvidence.isEmpty else {
            return Output.line("It selects no approved machine: look at its labels and at `carnet node list`.")
        }
        for fate in report.nodes where fate.then != "affirming" {
            Output.line("\(fate.name):")
            for finding in fate.findings {
                Output.line(finding.text)
            }
        }
        if !report.withoutEvidence.isEmpty {
            Output.line("Nothing is known yet of: " + report.withoutEvidence.joined(separator: ", "))
        }
    }
}

struct PolicyShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print a version of a policy as it was written.",
        discussion:
            "Example:\n  carnet policy show 9f86… > rack.yaml      # all 64 digits, as `carnet policy list` prints them"
    )

    @Argument(help: "The version's SHA-256.")
    var sha256: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        guard Hexadecimal.decode(sha256)?.count == 32 else { throw ValidationError("\(sha256) is no SHA-256.") }
        let answer = try await options.withConnection { connection in
            try await connection.send("GET", "/admin/v1/policies/\(sha256)")
        }
        try Output.bytes(answer.body, to: nil)
    }
}

struct PolicyRollBackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to the version of a policy that was active before.",
        discussion: """
            Example:
              carnet policy rollback rack

            Twice goes back two versions, and not forth again: `carnet policy activate` does that.
            """)

    @Argument(help: "The policy's identifier.")
    var id: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let body = JSONWriter.object { $0.string("id", id) }
        let root = try await options.send("POST", "/admin/v1/policies/rollback", body: body)
        Output.line("Active again: \(id) with SHA-256 \(root?["sha256"]?.string ?? "?")")
    }
}

struct PolicyDeactivateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deactivate",
        abstract: "Take a policy out of use. Its machines fall to the next policy that selects them, or to none.",
        discussion: "Example:\n  carnet policy deactivate rack")

    @Argument(help: "The policy's identifier.")
    var id: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let body = JSONWriter.object { $0.string("id", id) }
        _ = try await options.send("POST", "/admin/v1/policies/deactivation", body: body)
        Output.line("No longer active: \(id)")
    }
}
