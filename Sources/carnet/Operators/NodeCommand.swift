import ArgumentParser
import StrictEncoding
import CarnetCommandLine

struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "See, approve, remove and register machines.",
        subcommands: [
            NodeListCommand.self, NodeShowCommand.self, NodeApproveCommand.self, NodeRemoveCommand.self,
            NodeFindingsCommand.self, NodeEvidenceCommand.self, NodeLabelCommand.self,
            NodeRegisterCommand.self, NodeRegistrationsCommand.self, NodeUnregisterCommand.self,
        ])
}

struct NodeListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the enrolled machines by name.",
        discussion: """
            Examples:
              carnet node list
              carnet node list --json | jq -r '.[] | select(.state == "pending").name'

            However many there are, they are asked for in pages and printed as they come.
            """)

    @OptionGroup var options: OperatorOptions

    @Flag(help: "Print JSON.")
    var json = false

    struct Node: Encodable {
        let id, name, state, subject, ekSHA256, endorsement: String?
        let labels: [String: String]

        /// The labels as `carnet node label` takes them.
        var labelWords: String {
            labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        }
    }

    func run() async throws {
        try await options.printList(
            "/admin/v1/nodes", "nodes", json: json,
            headings: ["name", "state", "labels", "endorsement", "endorsement key (SHA-256)", "subject"],
            none: "No machine is enrolled."
        ) { node in
            Node(
                id: node["id"]?.string, name: node["name"]?.string, state: node["state"]?.string,
                subject: node["subject"]?.string,
                ekSHA256: node["ek_sha256"]?.string, endorsement: node["endorsement"]?.string,
                labels: Dictionary(
                    (node["labels"]?.members ?? []).map { ($0.name, $0.value.string ?? "") }, uniquingKeysWith: { $1 }))
        } _: { node in
            [node.name, node.state, node.labelWords, node.endorsement, node.ekSHA256, node.subject].map { $0 ?? "" }
        }
    }
}

struct NodeApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Say that a TPM sits in the machine that it claims to be.",
        discussion: """
            Example:
              carnet node approve node-17

            Compare the endorsement key's SHA-256 with what `carnet-agent info` prints on the machine before you approve.
            """)

    @Argument(help: "The node's name or identifier.")
    var node: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let identifier = try await options.nodeIdentifier(node)
        _ = try await options.send("POST", "/admin/v1/nodes/\(identifier)/approval")
        Output.line("Approved \(node)")
    }
}

struct NodeRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget a machine: it gets no more passports until it enrols again and you approve it again.",
        discussion: "Example:\n  carnet node remove node-17")

    @Argument(help: "The node's name or identifier.")
    var node: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let identifier = try await options.nodeIdentifier(node)
        _ = try await options.send("DELETE", "/admin/v1/nodes/\(identifier)")
        Output.line(
            "Removed \(node), and its registration if there was one. Passports that it has are withdrawn: relying parties that "
                + "check status lists refuse them at the next refresh; others accept them until they expire.")
    }
}

struct NodeRegisterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Register an endorsement key beforehand: its machine enrols without a certificate, and approved.",
        discussion: "Example:\n  carnet node register --ek-sha256 9f86…0a08 --name node-18")

    @Option(
        name: .customLong("ek-sha256"),
        help: "SHA-256 of the endorsement key's SubjectPublicKeyInfo, as `carnet-agent info` prints it.")
    var fingerprint: String

    @Option(help: "The only name under which it may enrol.")
    var name: String?

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        guard let bytes = Hexadecimal.decode(fingerprint), bytes.count == 32 else {
            throw ValidationError("--ek-sha256 takes 64 hexadecimal digits.")
        }
        let body = JSONWriter.object { writer in
            writer.string("sha256", Hexadecimal.encode(bytes))
            if let name { writer.string("name", name) }
        }
        _ = try await options.send("POST", "/admin/v1/endorsement-keys", body: body)
        Output.line("Registered \(Hexadecimal.encode(bytes))\(name.map { " for \($0)" } ?? "")")
    }
}
