import ArgumentParser
import StrictEncoding
import CarnetCommandLine

struct APITokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api-token", abstract: "API tokens of people and relying parties: make, list, revoke.",
        subcommands: [APITokenCreateCommand.self, APITokenListCommand.self, APITokenRevokeCommand.self])
}

struct APITokenCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a token. It is shown once; the verifier keeps only its SHA-256.",
        discussion:
            "Example:\n  carnet api-token create --role relying-party --name https://vault.example --out vault.token")

    @Option(help: "viewer, policy-author, admin or relying-party.")
    var role: String

    @Option(help: "Whose token it is; results of background checks are meant for this name.")
    var name: String

    @Option(help: "The file for the token, mode 0600; by default standard output.")
    var out: String?

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let body = JSONWriter.object { writer in
            writer.string("name", name)
            writer.string("role", role)
        }
        guard let token = try await options.send("POST", "/admin/v1/api-tokens", body: body)?["token"]?.string else {
            throw Failure(.refused, "The verifier gave no token.")
        }
        try Output.token(Array(token.utf8), to: out)
        if let out { Output.line("A \(role) token for \(name) is in \(out)") }
    }
}

struct APITokenListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the API tokens. None is shown: the verifier does not have them.",
        discussion: "Example:\n  carnet api-token list --json")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    struct Entry: Encodable {
        let id, name, role, createdAt, createdBy: String?
    }

    func run() async throws {
        let list = try await options.send("GET", "/admin/v1/api-tokens")?["api_tokens"]?.elements ?? []
        let entries = list.map {
            Entry(
                id: $0["id"]?.string, name: $0["name"]?.string, role: $0["role"]?.string,
                createdAt: $0["created_at"]?.string, createdBy: $0["created_by"]?.string)
        }
        if json { return try Output.json(entries) }
        Output.table(
            headings: ["identifier", "role", "name", "since"],
            entries.map { [$0.id, $0.role, $0.name, $0.createdAt].map { $0 ?? "" } })
    }
}

struct APITokenRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke an API token: from now on it opens nothing.",
        discussion: "Example:\n  carnet api-token revoke 0123456789abcdef")

    @Argument(help: "The token's identifier, as `carnet api-token list` shows it.")
    var id: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        guard !id.isEmpty,
            id.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D })
        else { throw ValidationError("\(id) is no identifier of a token.") }
        _ = try await options.send("DELETE", "/admin/v1/api-tokens/\(id)")
        Output.line("Revoked \(id)")
    }
}
