import ArgumentParser
import CarnetCommandLine
import Foundation
import StrictEncoding

struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Withdraw passports before they expire: one, a machine's, a policy's, or all before a time.",
        subcommands: [
            RevokeTokenCommand.self, RevokeNodeCommand.self, RevokePolicyCommand.self, RevokeBeforeCommand.self,
            RevokeListCommand.self,
        ])
}

/// What every kind of revocation is told.
struct RevocationOptions: ParsableArguments {
    @Option(help: "Why, in one line: it is kept with your name.")
    var reason: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    /// Sends one decision and prints what came of it.
    func revoke(_ what: String, _ target: @escaping (inout JSONWriter) -> Void) async throws {
        let body = JSONWriter.object { writer in
            target(&writer)
            writer.string("reason", reason)
        }
        guard let answer = try await options.send("POST", "/admin/v1/revocations", body: body) else {
            throw Failure(.refused, "The verifier did not say what it did.")
        }
        let entry = RevocationEntry(answer)
        if json { return try Output.json(entry) }
        let count = entry.tokens ?? 0
        guard count > 0 else {
            return Output.line(
                "There was no living passport \(what) that was not withdrawn before; the decision is kept.")
        }
        Output.line("Withdrew \(count) living \(count == 1 ? "passport" : "passports") \(what)")
        Output.line("Relying parties learn of it when they fetch the status lists again.")
    }
}

/// One decision, as the verifier tells it.
struct RevocationEntry: Encodable {
    let number, tokens, issuedBefore: Int64?
    let time, token, node, policy, reason, decidedBy: String?

    init(_ node: JSONNode) {
        number = node["number"]?.integer
        tokens = node["tokens"]?.integer
        issuedBefore = node["issued_before"]?.integer
        time = node["time"]?.string
        token = node["token"]?.string
        self.node = node["node"]?.string
        policy = node["policy"]?.string
        reason = node["reason"]?.string
        decidedBy = node["decided_by"]?.string
    }

    /// What was withdrawn, in words.
    var subject: String {
        token.map { "token \($0)" } ?? node.map { "node \($0)" } ?? policy.map { "policy \($0)" }
            ?? issuedBefore.map { "before \(Date(timeIntervalSince1970: TimeInterval($0)).formatted(.iso8601))" } ?? "?"
    }
}

struct RevokeTokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Withdraw one passport.",
        discussion: """
            Examples:
              carnet revoke token mC3lR0GkR8m4nJ1xv2cEwA --reason "Shown by a machine that is not ours"
              carnet revoke token --passport passport.jwt --reason "Found in a public log"
            """)

    @Argument(help: "The passport's jti: in the verifier's log and ledger, and in the passport.")
    var token: String?

    @Option(help: "The file of the passport, instead of its jti; - is standard input.")
    var passport: String?

    @OptionGroup var decision: RevocationOptions

    func validate() throws {
        guard (token == nil) != (passport == nil) else {
            throw ValidationError("Give either the jti (after -- if it begins with a dash) or --passport.")
        }
    }

    func run() async throws {
        let identifier = try token ?? Self.identifier(inPassport: passport ?? "-")
        try await decision.revoke("with this jti") { $0.string("token", identifier) }
    }

    /// What the passport says of itself: the verifier knows whether it issued it.
    private static func identifier(inPassport file: String) throws -> String {
        guard let claims = try? InspectTokenCommand.decode(Input.token(file)).root,
            let identifier = claims["jti"]?.string
        else { throw Failure(.unreadable, "\(file) is no passport with a jti.") }
        return identifier
    }
}

struct RevokeNodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract:
            "Withdraw all living passports of a machine. It may attest again; `carnet node remove` prevents that, too.",
        discussion: "Example:\n  carnet revoke node node-17 --reason \"Stolen from rack 4\"")

    @Argument(help: "The node's name or identifier.")
    var node: String

    @OptionGroup var decision: RevocationOptions

    func run() async throws {
        let identifier = try await decision.options.nodeIdentifier(node)
        try await decision.revoke("of \(node)") { $0.string("node", identifier) }
    }
}

struct RevokePolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract:
            "Withdraw all living passports that were issued under one version of a policy. Activate a better one first.",
        discussion: "Example:\n  carnet revoke policy 9f86…0a08 --reason \"It allowed the vulnerable shim\"")

    @Argument(help: "The SHA-256 of the policy's text, as `carnet policy list` shows it.")
    var policy: String

    @OptionGroup var decision: RevocationOptions

    func run() async throws {
        guard let digest = Hexadecimal.decode(policy), digest.count == 32 else {
            throw ValidationError("A policy's version is named by 64 hexadecimal digits.")
        }
        try await decision.revoke("under this policy") { $0.string("policy", Hexadecimal.encode(digest)) }
    }
}

struct RevokeBeforeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "before", abstract: "Withdraw all living passports that were issued before a time.",
        discussion:
            """
            Example:
              carnet revoke before 2026-11-21T10:00:00Z --reason "The firmware's reference values were wrong"

            It does not help against a stolen signing key: whoever has that can name any place in a list, or none.
            """)

    @Argument(help: "A time that has passed, in UTC, as 2026-11-21T10:00:00Z.")
    var time: String

    @OptionGroup var decision: RevocationOptions

    func run() async throws {
        guard let date = try? Date(time, strategy: .iso8601) else {
            throw ValidationError("\(time) is not a time such as 2026-11-21T10:00:00Z.")
        }
        guard date <= Date() else {
            throw ValidationError("\(time) has not passed: what will be issued cannot be withdrawn yet.")
        }
        try await decision.revoke("issued before \(time)") {
            $0.integer("issued_before", Int64(date.timeIntervalSince1970))
        }
    }
}

struct RevokeListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show what was withdrawn, by whom and why, newest first.",
        discussion: "Example:\n  carnet revoke list --limit 10 --json")

    @Option(help: "How many decisions: 1 to 500.")
    var limit = 20

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        guard (1...500).contains(limit) else { throw ValidationError("--limit is 1 to 500.") }
        let answer = try await options.send("GET", "/admin/v1/revocations?limit=\(limit)")
        let entries = (answer?["revocations"]?.elements ?? []).map(RevocationEntry.init)
        if json { return try Output.json(entries) }
        guard !entries.isEmpty else { return Output.line("Nothing was ever withdrawn.") }
        Output.table(
            headings: ["time", "withdrawn", "passports", "by", "reason"],
            entries.map { entry in
                [
                    entry.time ?? "", entry.subject, entry.tokens.map { String($0) } ?? "", entry.decidedBy ?? "",
                    entry.reason ?? "",
                ]
            })
    }
}
