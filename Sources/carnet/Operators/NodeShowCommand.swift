import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetCommandLine
import StrictEncoding

struct NodeShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one machine: its keys, its state, its labels, who approved it and when.",
        discussion: "Examples:\n  carnet node show node-17\n  carnet node show node-17 --json")

    @Argument(help: "The node's name or identifier.")
    var node: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    struct Node: Encodable {
        let id, subject, name, state, endorsement, ekSHA256, ak, createdAt, approvedAt, approvedBy: String?
        let labels: [String: String]
    }

    func run() async throws {
        let identifier = try await options.nodeIdentifier(node)
        let answer = try await options.send("GET", "/admin/v1/nodes/\(identifier)")
        let shown = Node(
            id: answer?["id"]?.string, subject: answer?["subject"]?.string, name: answer?["name"]?.string,
            state: answer?["state"]?.string, endorsement: answer?["endorsement"]?.string,
            ekSHA256: answer?["ek_sha256"]?.string, ak: answer?["ak"]?.string,
            createdAt: answer?["created_at"]?.string, approvedAt: answer?["approved_at"]?.string,
            approvedBy: answer?["approved_by"]?.string,
            labels: Dictionary(
                (answer?["labels"]?.members ?? []).map { ($0.name, $0.value.string ?? "") }, uniquingKeysWith: { $1 }))
        if json { return try Output.json(shown) }
        let labels = shown.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let rows: [(String, String?)] = [
            ("name", shown.name), ("identifier", shown.id), ("subject", shown.subject), ("state", shown.state),
            ("labels", labels.isEmpty ? nil : labels.joined(separator: " ")), ("endorsement", shown.endorsement),
            ("endorsement key (SHA-256)", shown.ekSHA256), ("attestation key", shown.ak),
            ("enrolled", shown.createdAt), ("approved", shown.approvedAt), ("approved by", shown.approvedBy),
        ]
        Output.table(rows.compactMap { name, value in value.map { (name, $0) } })
    }
}

struct NodeEvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Print the last authentic evidence of a machine, with its logs, as the verifier keeps it: JSON.",
        discussion: "Example:\n  carnet node evidence node-17 --out evidence.json")

    @Argument(help: "The node's name or identifier.")
    var node: String

    @Option(help: "The file for it; by default standard output.")
    var out: String?

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let identifier = try await options.nodeIdentifier(node)
        let answer = try await options.withConnection { connection in
            try await connection.send("GET", "/admin/v1/nodes/\(identifier)/evidence", maximumByteCount: 64 << 20).body
        }
        try Output.bytes(answer + [0x0A], to: out)
    }
}
