import ArgumentParser
import CarnetCommandLine
import StrictEncoding

struct SigningKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "The keys that sign passports: show them, rotate them, revoke one that leaked.",
        subcommands: [SigningKeyListCommand.self, SigningKeyRotateCommand.self, SigningKeyRevokeCommand.self])
}

/// The verifier's signing keys, as it tells them.
private struct SigningKeyList: Encodable {
    let keys: [Key]
    let events: [Event]

    struct Key: Encodable {
        let kid, state, publishedAt, signsFrom, activatedAt, rotatesAt, retiringAt, publishedUntil, endedAt: String?

        init(_ node: JSONNode) {
            kid = node["kid"]?.string
            state = node["state"]?.string
            publishedAt = node["published_at"]?.string
            signsFrom = node["signs_from"]?.string
            activatedAt = node["activated_at"]?.string
            rotatesAt = node["rotates_at"]?.string
            retiringAt = node["retiring_at"]?.string
            publishedUntil = node["published_until"]?.string
            endedAt = node["ended_at"]?.string
        }

        /// What comes next for the key, or came last.
        var outlook: String {
            switch state {
            case "next": "may sign from \(signsFrom ?? "?") on"
            case "current": "signs until \(rotatesAt ?? "?")"
            case "retiring": "is published until \(publishedUntil ?? "?")"
            default: "ended \(endedAt ?? "?")"
            }
        }
    }

    struct Event: Encodable {
        let number: Int64?
        let time, kid, state, decidedBy, reason: String?

        init(_ node: JSONNode) {
            number = node["number"]?.integer
            time = node["time"]?.string
            kid = node["kid"]?.string
            state = node["state"]?.string
            decidedBy = node["decided_by"]?.string
            reason = node["reason"]?.string
        }
    }

    init(_ node: JSONNode?) throws {
        guard let keys = node?["signing_keys"]?.elements, let events = node?["events"]?.elements else {
            throw Failure(.unreachable, "The verifier did not say which keys it has.")
        }
        self.keys = keys.map(Key.init)
        self.events = events.map(Event.init)
    }

    func print(json: Bool) throws {
        if json { return try Output.json(self) }
        Output.table(
            headings: ["state", "kid", "published", ""],
            keys.map { [$0.state ?? "", $0.kid ?? "", $0.publishedAt ?? "", $0.outlook] })
    }
}

struct SigningKeyListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the signing keys: which signs, which signs next, which have ended.",
        discussion: "Examples:\n  carnet key list\n  carnet key list --json      # and who changed them, when and why")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        try SigningKeyList(await options.send("GET", "/admin/v1/signing-keys")).print(json: json)
    }
}

/// What a change of the keys is told.
struct SigningKeyChange: ParsableArguments {
    @Option(help: "Why, in one line: it is kept with your name.")
    var reason: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    func send(_ path: String) async throws {
        let body = JSONWriter.object { $0.string("reason", reason) }
        try SigningKeyList(await options.send("POST", path, body: body)).print(json: json)
    }
}

struct SigningKeyRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Let the next key sign now, before it is due. Nothing that was signed before is refused.",
        discussion: """
            Example:
              carnet key rotate --reason "An administrator left"

            It is refused while the next key was not published for long enough: relying parties may not have it yet. Give a new trust
            bundle to those without network before you rotate again: a bundle has the current and the next key.
            """)

    @OptionGroup var change: SigningKeyChange

    func run() async throws { try await change.send("/admin/v1/signing-keys/rotation") }
}

struct SigningKeyRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Take a key that others may know out of the set at once. Every passport that it signed is refused.",
        discussion: """
            Example:
              carnet key revoke NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs --reason "The host was broken into"

            A kid may begin with a hyphen, and is given as it is.

            Machines attest again and get passports of the next key, which signs at once. Relying parties that fetch the key set refuse the
            revoked key within minutes; those with a trust bundle only when they get the next bundle: make one at once.
            """)

    @Argument(help: "The key's kid, as `carnet key list` shows it.")
    var kid: String

    @OptionGroup var change: SigningKeyChange

    func validate() throws {
        guard kid.utf8.count == 43, Base64URL.decode(kid) != nil else {
            throw ValidationError("\(kid) is no kid of a signing key: it has 43 characters of base64url.")
        }
    }

    func run() async throws { try await change.send("/admin/v1/signing-keys/\(kid)/revocation") }
}
