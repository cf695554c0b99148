import ArgumentParser
import CarnetCommandLine
import StrictEncoding

struct SecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Secrets that a broker gives to machines, and the policies that say to which.",
        discussion: """
            Examples:
              carnet secret put default/db/password --file password.txt
              carnet secret list
              carnet secret policy put edge.yaml

            The broker is --broker or CARNET_BROKER, its API token --token-file or CARNET_BROKER_TOKEN_FILE. A machine fetches a secret with
            `carnet-agent secret get`. The broker's own tokens, ledger and keys are for the commands that a verifier's are for:
            `carnet api-token`, `carnet audit` and `carnet signing-key` with --verifier naming the broker.
            """,
        subcommands: [
            SecretPutCommand.self, SecretGetCommand.self, SecretListCommand.self, SecretRemoveCommand.self,
            ReleasePolicyCommand.self,
        ])
}

struct SecretPutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Store a secret, in place of the one of its name.",
        discussion: """
            Examples:
              carnet secret put default/db/password --file password.txt
              head -c 32 /dev/urandom | carnet secret put default/kek/tenant-7 --file -

            No policy, no release: `carnet secret policy put` says which machines get it. The bytes go as they are, a line feed at the end too.
            """)

    @Argument(help: "The secret's name: repository/type/tag.")
    var name: String

    @Option(help: "The file that holds it, at most 65,536 bytes; - is standard input.")
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: BrokerOptions

    struct Report: Encodable {
        let name: String
        let version: Int64
    }

    func run() async throws {
        let path = try SecretPath(name)
        let secret = try Input.bytes(file, maximum: 65_536)
        guard !secret.isEmpty else { throw Failure(.unreadable, "\(file) is empty.") }
        let body = try await options.send(
            "PUT", "/admin/v1/secrets/" + path.text, contentType: "application/octet-stream", body: secret)
        let version = (try? JSONDocument(parsing: body, maximumByteCount: 4096).root)?["version"]?.integer ?? 0
        if json { return try Output.json(Report(name: name, version: version)) }
        Output.line("\(name) is stored, version \(version), \(secret.count) bytes.")
    }
}

struct SecretGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show what a broker keeps under a name; with --reveal the secret itself.",
        discussion: """
            Examples:
              carnet secret get default/db/password
              carnet secret get default/db/password --reveal --out password.txt

            The ledger tells who revealed a secret. Machines fetch theirs with `carnet-agent secret get`.
            """)

    @Argument(help: "The secret's name: repository/type/tag.")
    var name: String

    @Flag(help: "Give out the secret; the broker's ledger tells of it.")
    var reveal = false

    @Option(help: "With --reveal: the file for it, mode 0600; by default standard output.")
    var out: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: BrokerOptions

    func validate() throws {
        guard out == nil || reveal else { throw ValidationError("--out goes with --reveal.") }
        guard !reveal || !json else { throw ValidationError("Give --reveal or --json, not both.") }
    }

    func run() async throws {
        let path = try SecretPath(name)
        guard !reveal else {
            return try Output.bytes(try await options.send("POST", "/admin/v1/secrets/\(path.text)/reading"), to: out)
        }
        let entry = SecretEntry(try await options.read("GET", "/admin/v1/secrets/" + path.text))
        if json { return try Output.json(entry) }
        Output.table([
            ("name", entry.name), ("version", String(entry.version)), ("bytes", String(entry.bytes)),
            ("stored", entry.storedAt), ("stored by", entry.storedBy),
        ])
    }
}

struct SecretListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the secrets of a broker, without the secrets themselves.",
        discussion: "Examples:\n  carnet secret list\n  carnet secret list --json")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: BrokerOptions

    func run() async throws {
        var entries: [SecretEntry] = []
        try await options.list("/admin/v1/secrets", "secrets") { entries.append(SecretEntry($0)) }
        if json { return try Output.json(entries) }
        guard !entries.isEmpty else { return Output.line("No secrets. Store one with: carnet secret put") }
        for entry in entries {
            Output.line("\(entry.name)  version \(entry.version)  \(entry.bytes) bytes  \(entry.storedAt)")
        }
    }
}

struct SecretRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Erase a secret. Machines that have it keep what they have.",
        discussion:
            "Examples:\n  carnet secret remove default/db/password\n  carnet secret remove default/db/password --json")

    @Argument(help: "The secret's name: repository/type/tag.")
    var name: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: BrokerOptions

    func run() async throws {
        _ = try await options.send("DELETE", "/admin/v1/secrets/" + SecretPath(name).text)
        if json { return try Output.json(["removed": name]) }
        Output.line("\(name) is erased.")
    }
}

/// A secret, as lists show it.
struct SecretEntry: Encodable {
    let name, storedAt, storedBy: String
    let version, bytes: Int64

    init(_ node: JSONNode) {
        name = node["name"]?.string ?? ""
        storedAt = node["stored_at"]?.string ?? ""
        storedBy = node["stored_by"]?.string ?? ""
        version = node["version"]?.integer ?? 0
        bytes = node["bytes"]?.integer ?? 0
    }
}
