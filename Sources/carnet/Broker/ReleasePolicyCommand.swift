import ArgumentParser
import CarnetCommandLine
import StrictEncoding

struct ReleasePolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Release policies: which passports open which secrets and disks.",
        discussion: """
            Examples:
              carnet secret policy put edge.yaml
              carnet secret policy list
              carnet secret policy show edge
              carnet secret policy remove edge
            """,
        subcommands: [PutCommand.self, ListCommand.self, ShowCommand.self, RemoveCommand.self])

    struct PutCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "put",
            abstract: "Store a release policy, in place of one with the same id; it counts at once.",
            discussion: """
                Example, edge.yaml:
                  version: 1
                  id: edge
                  secrets: ["default/db/*"]        # repository/type/tag
                  volumes: ["root"]                # disk keys in escrow, each to its own machine
                  passport:
                    status: affirming
                    depth: event-log
                    key_protection: tpm-state
                    labels: {site: edge}
                    maximum_age: 300
                  phases: {reached: [enter-initrd], not_reached: [leave-initrd]}
                  freshness: passport              # or background-check
                  forms: [jwe]                     # and tpm-import

                carnet secret policy put edge.yaml
                carnet secret policy put edge.yaml --json
                """)

        @Argument(help: "The policy's file, YAML; - is standard input.")
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: BrokerOptions

        struct Report: Encodable { let id, sha256: String }

        func run() async throws {
            let text = try Input.bytes(file, maximum: 65_536)
            let body = try await options.send(
                "POST", "/admin/v1/release-policies", contentType: "application/yaml", body: text)
            let answer = try? JSONDocument(parsing: body, maximumByteCount: 4096).root
            let id = answer?["id"]?.string ?? ""
            if json { return try Output.json(Report(id: id, sha256: answer?["sha256"]?.string ?? "")) }
            Output.line("The release policy \(id) counts from now on.")
        }
    }

    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the release policies.",
            discussion: "Examples:\n  carnet secret policy list\n  carnet secret policy list --json")

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: BrokerOptions

        struct Entry: Encodable {
            let id, sha256, freshness, storedAt, storedBy: String
            let secrets, volumes: [String]
        }

        func run() async throws {
            let root = try await options.read("GET", "/admin/v1/release-policies")
            let entries = (root["release_policies"]?.elements ?? []).map { node in
                Entry(
                    id: node["id"]?.string ?? "", sha256: node["sha256"]?.string ?? "",
                    freshness: node["freshness"]?.string ?? "", storedAt: node["stored_at"]?.string ?? "",
                    storedBy: node["stored_by"]?.string ?? "",
                    secrets: node["secrets"]?.elements?.compactMap(\.string) ?? [],
                    volumes: node["volumes"]?.elements?.compactMap(\.string) ?? [])
            }
            if json { return try Output.json(entries) }
            guard !entries.isEmpty else {
                return Output.line(
                    "No release policies: nobody gets anything. Store one with: carnet secret policy put")
            }
            for entry in entries {
                let opens = entry.secrets + entry.volumes.map { "disk \($0)" }
                Output.line("\(entry.id)  \(opens.joined(separator: " "))  \(entry.freshness)")
            }
        }
    }

    struct ShowCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Print a release policy's text.",
            discussion: "Examples:\n  carnet secret policy show edge\n  carnet secret policy show edge --json")

        @Argument(help: "The policy's id.")
        var id: String

        @Flag(help: "Print JSON, with the text in it.")
        var json = false

        @OptionGroup var options: BrokerOptions

        struct Report: Encodable { let id, text: String }

        func run() async throws {
            let text = try await options.send("GET", "/admin/v1/release-policies/" + OperatorOptions.queryValue(id))
            if json { return try Output.json(Report(id: id, text: String(decoding: text, as: UTF8.self))) }
            try Output.bytes(text, to: nil)
        }
    }

    struct RemoveCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove a release policy; what it alone opened nobody gets any more.",
            discussion: "Examples:\n  carnet secret policy remove edge\n  carnet secret policy remove edge --json")

        @Argument(help: "The policy's id.")
        var id: String

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: BrokerOptions

        func run() async throws {
            _ = try await options.send("DELETE", "/admin/v1/release-policies/" + OperatorOptions.queryValue(id))
            if json { return try Output.json(["removed": id]) }
            Output.line("The release policy \(id) is removed.")
        }
    }
}
