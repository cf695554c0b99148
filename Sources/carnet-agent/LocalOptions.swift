import ArgumentParser
import CarnetAgent
import CarnetCommandLine
import CarnetService
import Foundation

/// What the daemon offers to the programs of this machine, and to whom.
struct LocalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The socket, in a directory that nobody else can write to.", valueName: "path"))
    var socket = "/run/carnet-agent/agent.sock"

    @Option(
        help: ArgumentHelp(
            "Who may make one kind of call, beside root: passport, proofs or status, and user:NAME, group:NAME or anybody. Repeat it for more.",
            valueName: "call=who"))
    var allow: [String] = []

    @Option(help: ArgumentHelp("A user who may make every call. Repeat it for more.", valueName: "name"))
    var allowUser: [String] = []

    @Option(help: ArgumentHelp("A group that may make every call. Repeat it for more.", valueName: "name"))
    var allowGroup: [String] = []

    @Option(help: ArgumentHelp("How many proofs a user may have made in a minute: 1 to 10000.", valueName: "number"))
    var proofRate = 120

    @Option(help: ArgumentHelp("How many of them at once: 1 to 10000.", valueName: "number"))
    var proofBurst = 30

    @Option(help: ArgumentHelp("Keep the passport in this file as well, as long as it is good.", valueName: "file"))
    var passportFile: String?

    @Option(help: ArgumentHelp("Keep the status in this file as well, as JSON.", valueName: "file"))
    var statusFile: String?

    @Option(help: ArgumentHelp("The permissions of both files, at most 0644.", valueName: "octal"))
    var fileMode = "0600"

    @Option(help: ArgumentHelp("The group of both files.", valueName: "name"))
    var fileGroup: String?

    /// The files.
    var files: AgentFiles {
        get throws {
            guard let mode = SharedFile.mode(fileMode) else {
                throw ValidationError("--file-mode \(fileMode) is no such mode: write 0600, 0640 or 0644.")
            }
            let group = try Self.checked { try fileGroup.map { try PeerRule.group($0) } }
            return AgentFiles(
                passport: passportFile.map { SharedFile($0, mode: mode, group: group) },
                status: statusFile.map { SharedFile($0, mode: mode, group: group) })
        }
    }

    /// Who may ask for what.
    var rules: PeerRules {
        get throws {
            let every = Set(LocalCall.allCases)
            let rules = try Self.checked {
                try allow.map { try PeerRule(parsing: $0) }
                    + allowUser.map { PeerRule(every, .user(try PeerRule.user($0))) }
                    + allowGroup.map { PeerRule(every, .group(try PeerRule.group($0))) }
            }
            return PeerRules(owner: geteuid(), rules)
        }
    }

    /// How often.
    var rates: LocalRates {
        get throws {
            guard (1...10_000).contains(proofRate) else { throw ValidationError("--proof-rate is 1 to 10000.") }
            guard (1...10_000).contains(proofBurst) else { throw ValidationError("--proof-burst is 1 to 10000.") }
            return LocalRates(
                calls: RateLimit(perMinute: 1200, burst: 300),
                proofs: RateLimit(perMinute: proofRate, burst: proofBurst))
        }
    }

    private static func checked<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let mistake as PeerRule.Mistake {
            throw ValidationError(mistake.description)
        }
    }
}
