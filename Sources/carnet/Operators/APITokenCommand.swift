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
        discussion: """
            Examples:
              carnet api-token create --role relying-party --name https://vault.example --out vault.token
              carnet api-token create --role viewer --name bob --expires 30d --out bob.token

            An expired token is refused for good: make the next one before, under another name.
            """)

    @Option(help: "viewer, policy-author (or author), admin or relying-party.")
    var role: String

    @Option(help: "Whose token it is; results of background checks are meant for this name.")
    var name: String

    @Option(
        help: ArgumentHelp("How long it is good: 1m to 400d, by default 90d.", valueName: "lifetime"),
        transform: Lifetime.reading)
    var expires: Lifetime?

    @Option(help: "The file for the token, mode 0600; by default standard output.")
    var out: String?

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let body = JSONWriter.object { writer in
            writer.string("name", name)
            writer.string("role", role)
            if let expires { writer.integer("lifetime", expires.seconds) }
        }
        try await Output.keeping(in: out) {
            let answer = try await options.send("POST", "/admin/v1/api-tokens", body: body)
            guard let token = answer?["token"]?.string else {
                throw Failure(.refused, "The verifier gave no token.")
            }
            try Output.token(Array(token.utf8), to: out)
            let role = answer?["role"]?.string ?? role
            let end = answer?["expires_at"]?.string.map { ", good until \($0)" } ?? ""
            if let out { Output.line("The \(role) token for \(name) is in \(out)\(end)") }
        }
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
        let id, name, role, state, createdAt, createdBy, expiresAt, lastUsedAt: String?
    }

    func run() async throws {
        try await options.printList(
            "/admin/v1/api-tokens", "api_tokens", json: json,
            headings: ["identifier", "role", "state", "name", "since", "until", "last used"], none: "There is none."
        ) { token in
            Entry(
                id: token["id"]?.string, name: token["name"]?.string, role: token["role"]?.string,
                state: token["state"]?.string, createdAt: token["created_at"]?.string,
                createdBy: token["created_by"]?.string, expiresAt: token["expires_at"]?.string,
                lastUsedAt: token["last_used_at"]?.string)
        } _: { entry in
            [
                entry.id, entry.role, entry.state, entry.name, entry.createdAt, entry.expiresAt ?? "no end",
                entry.lastUsedAt ?? "never",
            ].map { $0 ?? "" }
        }
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
