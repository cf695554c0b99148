import CarnetTesting
import Fixtures
import Foundation
import MeasurementLogs
import Testing

/// What every program does with words that it is given, good and bad.
@Suite("Usage of every program", .timeLimit(.minutes(5)))
struct UsageTests {
    static let commands: [[String]] = [
        ["carnet"], ["carnet", "inspect"], ["carnet", "inspect", "token"], ["carnet", "inspect", "quote"],
        ["carnet", "inspect", "event-log"], ["carnet", "verify"], ["carnet", "grant"], ["carnet", "admit"],
        ["carnet", "policy"],
        ["carnet", "policy", "check"], ["carnet", "policy", "activate"], ["carnet", "trust"],
        ["carnet", "trust", "import"], ["carnet", "node"], ["carnet", "node", "list"], ["carnet", "node", "approve"],
        ["carnet", "node", "remove"], ["carnet", "node", "register"], ["carnet", "node", "findings"],
        ["carnet", "node", "registrations"], ["carnet", "node", "unregister"], ["carnet", "api-token"],
        ["carnet", "api-token", "list"], ["carnet", "api-token", "revoke"], ["carnet", "policy", "list"],
        ["carnet", "policy", "draft"],
        ["carnet", "policy", "rehearse"], ["carnet", "policy", "rollback"], ["carnet", "policy", "deactivate"],
        ["carnet", "node", "show"], ["carnet", "node", "evidence"], ["carnet", "node", "label"],
        ["carnet", "policy", "template"], ["carnet", "policy", "template", "add"],
        ["carnet", "policy", "template", "list"], ["carnet", "policy", "template", "remove"],
        ["carnet", "api-token", "create"], ["carnet", "background-check"],
        ["carnet", "background-check", "requirements"], ["carnet", "background-check", "appraise"],
        ["carnet", "compare"], ["carnet", "policy", "predict"], ["carnet", "policy", "show"], ["carnet", "reference"],
        ["carnet", "reference", "add"],
        ["carnet", "reference", "debian"], ["carnet", "reference", "show"], ["carnet", "reference", "check"],
        ["carnet", "reference", "diff"], ["carnet", "reference", "push"], ["carnet", "reference", "pull"],
        ["carnet", "reference", "list"],
        ["carnet", "reference", "remove"], ["carnet", "reference", "import"], ["carnet", "reference", "export"],
        ["carnet", "revoke"], ["carnet", "revoke", "token"], ["carnet", "revoke", "node"],
        ["carnet", "revoke", "policy"],
        ["carnet", "revoke", "before"], ["carnet", "revoke", "list"], ["carnet", "status"], ["carnet-verifier"],
        ["carnet", "bundle"], ["carnet", "bundle", "key"], ["carnet", "bundle", "make"], ["carnet", "bundle", "renew"],
        ["carnet", "bundle", "show"], ["carnet", "bundle", "check"], ["carnet", "audit"],
        ["carnet", "audit", "verify"], ["carnet", "audit", "export"], ["carnet", "audit", "reappraise"],
        ["carnet", "audit", "prune"],
        ["carnet", "key"], ["carnet", "key", "list"],
        ["carnet", "key", "rotate"], ["carnet", "key", "revoke"], ["carnet-verifier", "serve"],
        ["carnet-admission"], ["carnet-admission", "serve"], ["carnet", "admission"],
        ["carnet", "admission", "preflight"], ["carnet", "admission", "allow-taints"],
        ["carnet", "admission", "lift-taints"],
        ["carnet-verifier", "bootstrap"], ["carnet-verifier", "rewrap"], ["carnet-agent", "kek"],
        ["carnet-agent", "kek", "seal"],
        ["carnet-agent", "kek", "unseal"], ["carnet-agent", "run"], ["carnet-agent", "status"],
        ["carnet-agent", "seal"], ["carnet-agent", "unseal"], ["carnet-agent", "phase"], ["carnet-agent", "secret"],
        ["carnet-agent", "kubelet"], ["carnet-agent", "kubelet", "run"], ["carnet-agent", "kubelet", "credential"],
        ["carnet-agent", "secret", "get"], ["carnet-agent", "disk"], ["carnet-agent", "disk", "enrol"],
        ["carnet-agent", "disk", "unlock"], ["carnet-agent", "disk", "status"], ["carnet", "webhook"],
        ["carnet", "webhook", "add"], ["carnet", "secret"], ["carnet", "secret", "put"], ["carnet", "secret", "get"],
        ["carnet", "secret", "list"], ["carnet", "secret", "remove"], ["carnet", "secret", "policy"],
        ["carnet", "secret", "policy", "put"], ["carnet", "secret", "policy", "list"],
        ["carnet", "secret", "policy", "show"], ["carnet", "secret", "policy", "remove"], ["carnet", "escrow"],
        ["carnet", "escrow", "list"], ["carnet", "escrow", "destroy"], ["carnet", "escrow", "recover"],
        ["carnet", "approve-state"],
        ["carnet", "webhook", "list"], ["carnet", "webhook", "show"], ["carnet", "webhook", "remove"],
        ["carnet", "webhook", "test"], ["carnet", "webhook", "deliveries"], ["carnet", "webhook", "rotate-secret"],
    ]

    @Test("Every command has help; every command that does something has an example", arguments: commands)
    func help(command: [String]) async throws {
        let program = Program(command[0]), words = Array(command.dropFirst())
        let ending = try await program.run(words + ["--help"])
        #expect(ending.status == 0 && ending.errors.isEmpty && ending.text.contains("USAGE: " + command[0]))
        let hasSubcommands = ending.text.contains("SUBCOMMANDS:")
        #expect(hasSubcommands || ending.text.lowercased().contains("example"), "\(command)")
    }

    static let mistakes: [[String]] = [
        ["carnet", "fly"], ["carnet", "verify"], ["carnet", "verify", "x", "--jwks"], ["carnet", "inspect", "token"],
        ["carnet", "verify", "x", "--jwks", "y", "--issuer", "i", "--audience", "a", "--depth", "ocean"],
        ["carnet", "inspect", "event-log", "/dev/null", "--bank", "md5"], ["carnet", "node", "approve"],
        ["carnet", "node", "list", "--verifier", "http://127.0.0.1:9"],
        ["carnet", "node", "list", "--token-file", "/dev/null"], ["carnet", "node", "register", "--ek-sha256", "12"],
        ["carnet", "trust", "import", "/dev/null", "--allow", "xyz"], ["carnet-verifier"], ["carnet-admission"],
        ["carnet-admission", "--audience", "https://a", "--issuer", "https://i", "--gates", "door"],
        ["carnet-admission", "--audience", "https://a", "--issuer", "https://i", "--plain-http"],
        ["carnet", "reference", "add", "/tmp/x.json"], ["carnet", "policy", "predict"],
        ["carnet", "reference", "add", "/tmp/x.json", "--efi", "y", "--bank", "sha1"],
        ["carnet", "reference", "add", "/tmp/x.json", "--efi", "y", "--from", "tomorrow"],
        ["carnet", "reference", "add", "/tmp/X.json", "--efi", "y"],
        [
            "carnet", "reference", "add", "/tmp/x.json", "--efi", "y", "--from", "2027-01-01T00:00:00Z", "--until",
            "2027-01-01T00:00:00Z",
        ],
        ["carnet", "reference", "debian", "/tmp/x.json", "--hash", "md5"],
        ["carnet", "policy", "predict", "--event-log", "x", "--bank", "sha1"],
        ["carnet", "policy", "predict", "--event-log", "x", "--uki", "y", "--kernel", "z"],
        ["carnet", "policy", "predict", "--event-log", "x", "--efi", "y"],
        ["carnet", "policy", "predict", "--event-log", "x", "--json", "--yaml"],
        ["carnet", "revoke", "node", "node-17"], ["carnet", "revoke", "policy", "ab", "--reason", "x"],
        ["carnet", "revoke", "before", "tomorrow", "--reason", "x"], ["carnet", "status"],
        ["carnet", "revoke", "list", "--limit", "0"], ["carnet", "bundle", "make", "x"],
        ["carnet", "bundle", "check", "x"], ["carnet", "audit", "verify", "x"], ["carnet", "audit", "reappraise"],
        ["carnet", "audit", "prune", "--before", "tomorrow"],
        ["carnet", "verify", "x", "--audience", "a"], ["carnet", "verify", "x", "--audience", "a", "--bundle", "b"],
        [
            "carnet", "verify", "x", "--audience", "a", "--bundle", "b", "--root-key", "c", "--jwks", "d", "--issuer",
            "i",
        ],
        [
            "carnet", "verify", "x", "--jwks", "y", "--issuer", "i", "--audience", "a", "--skip-status",
            "--status-list",
            "z",
        ],
        ["carnet", "key", "rotate"], ["carnet", "key", "revoke", "x", "--reason", "y"], ["carnet-verifier", "rewrap"],
        ["carnet-verifier", "bootstrap"], ["carnet-verifier", "bootstrap", "--data", "/tmp/x", "--expires", "401d"],
        ["carnet-verifier", "bootstrap", "--data", "/tmp/x", "--name", "a b"],
        ["carnet-verifier", "bootstrap", "--data", "/tmp/x", "--database", "mysql://carnet@db.example/carnet"],
        ["carnet-verifier", "bootstrap", "--data", "/tmp/x", "--out", "y", "--json"],
        ["carnet", "api-token", "create", "--role", "viewer", "--name", "x", "--expires", "soon"],
        ["carnet", "webhook", "add", "x"], ["carnet", "webhook", "add", "x", "--url", "https://y", "--label", "z"],
        ["carnet", "webhook", "rotate-secret", "x", "--overlap", "-1"],
        ["carnet", "webhook", "deliveries", "x", "--limit", "0"],
        [
            "carnet-verifier", "--data", "/tmp/x", "--issuer", "https://i", "--audience", "a", "--plain-http",
            "--webhook-allow", "10.1.2.3/8",
        ],
        ["carnet-agent", "run"], ["carnet-agent", "run", "--verifier", "http://verifier.example"],
        ["carnet-agent", "run", "--verifier", "https://v.example", "--allow", "proofs=nobody"],
        ["carnet-agent", "run", "--verifier", "https://v.example", "--allow-user", "no-such-user-here"],
        ["carnet-agent", "run", "--verifier", "https://v.example", "--file-mode", "0666"],
        ["carnet-agent", "run", "--verifier", "https://v.example", "--watch-seconds", "0"],
        ["carnet-agent", "run", "--verifier", "https://v.example", "--proof-rate", "0"],
        ["carnet-verifier", "rewrap", "--data", "/tmp/x"], ["carnet-agent", "kek", "seal", "--pcrs", "md5:1"],
        ["carnet-agent", "seal", "--pcrs", "sha1:7", "--out", "x"], ["carnet-agent", "seal"],
        ["carnet-agent", "unseal"],
        ["carnet-agent", "seal", "--pcrs", "sha256:7", "--authorised-by", "x", "--out", "y"],
        ["carnet-agent", "phase", "No Word"], ["carnet-agent", "phase", "ready", "--pcr", "7"],
        ["carnet-agent", "secret", "get", "a/b", "--out", "x"],
        ["carnet-agent", "secret", "get", "a/b/c", "--out", "x", "--broker", "https://b.example"],
        ["carnet-agent", "disk", "enrol", "/dev/null"], ["carnet-agent", "disk", "unlock", "/dev/null"],
        ["carnet-agent", "disk", "unlock", "/dev/null", "--test-passphrase", "--open-as", "x"],
        ["carnet-agent", "disk", "unlock", "/dev/null", "--open-as", "../x"],
        ["carnet-agent", "disk", "status", "/etc/passwd"],
        [
            "carnet-verifier", "--data", "/tmp/x", "--issuer", "https://i", "--audience", "a", "--plain-http",
            "--key-encryption-key", "a", "--key-encryption-key-command", "b",
        ],
        ["carnet-verifier", "--data", "/tmp/x", "--issuer", "https://i", "--audience", "a"],
        [
            "carnet-verifier", "--data", "/tmp/x", "--issuer", "https://i", "--audience", "a", "--plain-http",
            "--listen", "nowhere",
        ],
        [
            "carnet-verifier", "--data", "/tmp/x", "--issuer", "https://i", "--audience", "a", "--log-level", "loud",
        ],
    ]

    @Test(
        "Wrong usage ends with status 2, a word on standard error, and nothing on standard output", arguments: mistakes)
    func usage(command: [String]) async throws {
        let ending = try await Program(command[0]).run(
            Array(command.dropFirst()),
            environment: ["CARNET_VERIFIER": "", "CARNET_TOKEN_FILE": "", "CARNET_PLAIN_HTTP": ""])
        #expect(ending.status == 2 && ending.output.isEmpty && !ending.errors.isEmpty, "\(ending)")
    }

    @Test("A file that is not there ends with status 3 and its name; one that is garbage with status 2 and the reason")
    func files() async throws {
        let carnet = Program("carnet"), folder = try TemporaryDirectory()
        let garbage = try folder.write(Array("no such thing".utf8), "garbage"), empty = try folder.write([], "empty")
        let expectations = ["--issuer", "https://i.example", "--audience", "https://a.example"]
        let readers: [[String]] = [
            ["status"], ["inspect", "token"], ["inspect", "quote"], ["inspect", "event-log"], ["policy", "check"],
            ["reference", "check"], ["reference", "show"], ["reference", "export"],
            ["policy", "predict", "--event-log"],
            ["verify", "passport", "--jwks"],
        ]
        for reader in readers {
            let rest = reader[0] == "verify" ? expectations : []
            let absent = try await carnet.run(reader + ["/no/such/file"] + rest)
            #expect(absent.status == 3 && absent.errors.contains("/no/such/file"), "\(reader) \(absent)")
            for file in [garbage, empty] {
                let ending = try await carnet.run(reader + [file] + rest)
                #expect(ending.status == 2 && ending.output.isEmpty && ending.errors.count > 10, "\(reader) \(ending)")
            }
            let directory = try await carnet.run(reader + [folder.path] + rest)
            #expect(directory.status == 3 && directory.errors.contains("directory"), "\(reader) \(directory)")
        }
    }

    @Test("A program whose output nobody reads any more ends quietly")
    func brokenPipe() throws {
        guard let shell = try Witness.find("sh") else { return }
        let folder = try TemporaryDirectory(), log = try folder.write(GoodBoot.log().bytes, "log.bin")
        let command =
            "'\(Program("carnet").path)' inspect event-log \(log) | head -1; '\(Program("carnet").path)' inspect event-log \(log) | true"
        let testimony = try shell.run(["-c", command])
        #expect(testimony.text.contains("Secure Boot") && testimony.errors.isEmpty, "\(testimony.errors)")
    }
}
