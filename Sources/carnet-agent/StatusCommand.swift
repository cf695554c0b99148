import ArgumentParser
import CarnetAgent
import CarnetCommandLine
import StrictEncoding

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Ask the agent that runs on this machine how it stands with the passport.",
        discussion: """
            Examples:
              carnet-agent status
              carnet-agent status --json | jq .findings

            Exit status: 0 there is a passport, 1 there is none, 3 no agent answers.
            """)

    @Option(help: ArgumentHelp("The agent's socket.", valueName: "path"))
    var socket = "/run/carnet-agent/agent.sock"

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let answer: AgentConnection.Answer
        do {
            answer = try await AgentConnection(socket: socket).send("GET", "/v1/status")
        } catch let error as AgentConnection.Unreachable {
            throw Failure(.unreachable, error.description)
        }
        guard let root = try? JSONDocument(parsing: answer.body, maximumByteCount: 1 << 20, maximumDepth: 6).root else {
            throw Failure(.unreachable, "What answers at \(socket) is no agent.")
        }
        guard answer.status == 200 else { throw Failure(.refused, root["detail"]?.string ?? "The agent refused.") }
        if json {
            Output.json(text: String(decoding: answer.body, as: UTF8.self))
        } else {
            Self.print(root)
        }
        guard root["passport"] != nil else { throw Failure(.refused, "") }
    }

    private static func print(_ root: JSONNode) {
        var rows = [("state", root["state"]?.string ?? "?")]
        func add(_ title: String, _ text: String?) {
            if let text { rows.append((title, text)) }
        }
        func seconds(_ name: String) -> String? { root[name]?.integer.map { "\($0) s" } }
        add("node", root["node"]?.string)
        add("subject", root["subject"]?.string)
        add("verifier", root["verifier"]?.string)
        add(
            "passport",
            root["passport"].map { passport in
                "\(passport["status"]?.string ?? "?"), for \(passport["expires_in"]?.integer ?? 0) s more"
            } ?? "none")
        add("quoted PCRs", root["pcrs"]?.string)
        add("answered", seconds("answered_ago").map { "\($0) ago" })
        add("next attestation", seconds("next_in").map { "in \($0)" })
        add("failure", root["failure"]?.string)
        add("clock", root["clock_warning"]?.string)
        Output.table(rows)
        for finding in root["findings"]?.elements ?? [] {
            let place = finding["pcr"]?.integer.map { " (PCR \($0))" } ?? ""
            Output.line("  - \(finding["rule"]?.string ?? "?")\(place): \(finding["description"]?.string ?? "")")
            if let remedy = finding["remedy"]?.string, !remedy.isEmpty { Output.line("    \(remedy)") }
        }
    }
}
