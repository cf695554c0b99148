import ArgumentParser
import CarnetAppraisal
import StrictEncoding
import TPM2
import CarnetCommandLine
import Foundation

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Draft, check, rehearse, activate and roll back policies.",
        subcommands: [
            PolicyDraftCommand.self, PolicyCheckCommand.self, PolicyRehearseCommand.self, PolicyActivateCommand.self,
            PolicyRollBackCommand.self, PolicyDeactivateCommand.self, PolicyListCommand.self, PolicyShowCommand.self,
            PredictCommand.self,
            TemplateCommand.self,
        ])
}

struct PolicyCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read a policy strictly, and say what it means and what may be a mistake.",
        discussion: """
            Examples:
              carnet policy check prod-node.yaml
              carnet policy check prod-node.yaml --reference debian-13.json
            """)

    @Argument(help: "The policy's file; - is standard input.")
    var file: String

    @Option(help: "The file of a set that the policy names, to check both together; may stand several times.")
    var reference: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let id: String
        let identifier: String
        let eventLogRequired: Bool
        let pinned: [String: [Int]]
        let ignored: [String: [Int]]
        let references: [String]
        let missingReferences: [String]
        let warnings: [String]
    }

    func run() throws {
        let policy: Policy
        do {
            policy = try Policy(parsing: Input.bytes(file)).resolved(with: reference.map(Self.document))
        } catch let error as PolicyError {
            throw Failure(.unreadable, "\(file): \(error)")
        }
        var pinned: [String: [Int]] = [:]
        var ignored: [String: [Int]] = [:]
        for bank in policy.banks {
            let isIgnored = { (pcr: Int) in bank.rules[pcr] == .ignore }
            pinned[bank.algorithm.description] = bank.rules.keys.filter { !isIgnored($0) }.sorted()
            ignored[bank.algorithm.description] = bank.rules.keys.filter(isIgnored).sorted()
        }
        if json {
            return try Output.json(
                Report(
                    id: policy.id, identifier: policy.identifier, eventLogRequired: policy.requiresEventLog,
                    pinned: pinned,
                    ignored: ignored, references: policy.references.map(\.description),
                    missingReferences: policy.missingReferences.map(\.description),
                    warnings: policy.warnings(at: Int64(Date().timeIntervalSince1970))))
        }
        var rows = [
            ("policy", policy.id), ("identifier", policy.identifier),
            ("event log", policy.requiresEventLog ? "required: it must explain every quoted PCR" : "optional"),
        ]
        for bank in policy.banks {
            let name = bank.algorithm.description
            rows.append(("\(name) pinned", pinned[name, default: []].map(String.init).joined(separator: ", ")))
            let list = ignored[name, default: []].map(String.init).joined(separator: ", ")
            if !list.isEmpty { rows.append(("\(name) ignored", list)) }
        }
        for name in policy.references {
            let isMissing = policy.missingReferences.contains(name)
            rows.append(("reference set", "\(name)" + (isMissing ? " (not looked at: give --reference)" : "")))
        }
        Output.table(rows)
        for warning in policy.warnings(at: Int64(Date().timeIntervalSince1970)) { Output.line("  warning: " + warning) }
    }
}

extension PolicyCheckCommand {
    /// The bytes of a set in the one spelling whose digest names it.
    private static func document(_ path: String) throws -> [UInt8] {
        let set = try ReferenceFiles.read(path)
        return try ReferenceFiles.explaining(path) { () throws(ReferenceSetError) in try set.bytes() }
    }
}

struct PolicyActivateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate",
        abstract: "Upload a policy and make it the one by which machines are appraised.",
        discussion: "Example:\n  carnet policy activate prod-node.yaml")

    @Argument(help: "The policy's file; - is standard input.")
    var file: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let bytes = try Input.bytes(file)
        let policy: Policy
        do {
            policy = try Policy(parsing: bytes)
        } catch {
            throw Failure(.unreadable, "\(file): \(error)")
        }
        let digest = Hexadecimal.encode(policy.digest)
        _ = try await options.send("POST", "/admin/v1/policies", contentType: "application/yaml", body: bytes)
        _ = try await options.send("POST", "/admin/v1/policies/\(digest)/activation")
        Output.line("Active: \(policy.identifier)")
        for warning in policy.warnings(at: Int64(Date().timeIntervalSince1970)) { Output.line("  warning: " + warning) }
    }
}

struct PolicyListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the verifier's policies, and which of them is active.",
        discussion: "Example:\n  carnet policy list --json")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    struct Entry: Encodable {
        let sha256, id, createdAt: String?
        let active: Bool
    }

    func run() async throws {
        try await options.printList(
            "/admin/v1/policies", "policies", json: json, headings: ["", "policy", "SHA-256", "since"],
            none: "There is no policy, so nothing is ever affirming."
        ) { policy in
            Entry(
                sha256: policy["sha256"]?.string, id: policy["id"]?.string, createdAt: policy["created_at"]?.string,
                active: policy["active"]?.boolean ?? false)
        } _: { entry in
            [entry.active ? "active" : "", entry.id ?? "", entry.sha256 ?? "", entry.createdAt ?? ""]
        }
    }
}
