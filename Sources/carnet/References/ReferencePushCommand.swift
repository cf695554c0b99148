import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetAppraisal
import CarnetCommandLine
import StrictEncoding

struct ReferencePushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Give a set to the verifier, so that policies can name it.",
        discussion: """
            Example:
              carnet reference push debian-13.json

            It prints the name for the policy:
              references:
                - debian-13@sha256:9f86…
            """)

    @Argument(help: "The set's file; - is standard input.")
    var set: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    struct Report: Encodable {
        let reference: String
        let components, files: Int
    }

    func run() async throws {
        let set = try ReferenceFiles.read(self.set)
        let (bytes, name) = try ReferenceFiles.explaining(self.set) { () throws(ReferenceSetError) in
            (try set.bytes(), try ReferenceSetName(set))
        }
        let answer = try await options.send("POST", "/admin/v1/reference-sets", body: bytes)
        guard answer?["reference"]?.string == name.description else {
            throw Failure(.unreachable, "The verifier calls the set otherwise than this program: \(name)")
        }
        if json {
            return try Output.json(
                Report(
                    reference: name.description, components: set.components.count, files: set.files.count))
        }
        Output.line("Stored: \(set.components.count) components, \(set.files.count) files")
        Output.line("For policies:\n  references:\n    - \(name)")
    }
}

struct ReferenceListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the sets that the verifier has.",
        discussion: "Example:\n  carnet reference list --json")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    struct Entry: Encodable {
        let reference, createdAt, createdBy: String?
        let components, files: Int64?
    }

    func run() async throws {
        let list = try await options.send("GET", "/admin/v1/reference-sets")?["reference_sets"]?.elements ?? []
        let entries = list.map {
            Entry(
                reference: $0["reference"]?.string, createdAt: $0["created_at"]?.string,
                createdBy: $0["created_by"]?.string, components: $0["components"]?.integer, files: $0["files"]?.integer)
        }
        if json { return try Output.json(entries) }
        guard !entries.isEmpty else { return Output.line("There is no set. Push one with `carnet reference push`.") }
        Output.table(
            headings: ["set", "components", "files", "since"],
            entries.map {
                [$0.reference ?? "", "\($0.components ?? 0)", "\($0.files ?? 0)", $0.createdAt ?? ""]
            })
    }
}

struct ReferencePullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Get a set from the verifier, as it was pushed.",
        discussion: "Example:\n  carnet reference pull debian-13@sha256:9f86… --out debian-13.json")

    @Argument(help: "The set's name with its digest, as `carnet reference list` prints it.")
    var reference: String

    @Option(help: "The file to write; by default standard output.")
    var out: String?

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let name = try ReferenceSetName.argument(reference)
        let answer = try await options.withConnection { connection in
            try await connection.send(
                "GET", "/admin/v1/reference-sets/\(Hexadecimal.encode(name.digest))",
                maximumByteCount: ReferenceSet.maximumByteCount)
        }
        let set = try ReferenceFiles.explaining(reference) { () throws(ReferenceSetError) in
            try ReferenceSet(parsing: answer.body)
        }
        let found = try ReferenceFiles.explaining(reference) { () throws(ReferenceSetError) in
            try ReferenceSetName(set)
        }
        guard found == name else { throw Failure(.unreachable, "The verifier sent \(found) instead") }
        try ReferenceFiles.write(set, to: out)
    }
}

struct ReferenceRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a set from the verifier. Sets that an active policy names stay.",
        discussion: "Example:\n  carnet reference remove debian-12@sha256:9f86…")

    @Argument(help: "The set's name with its digest, as `carnet reference list` prints it.")
    var reference: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let name = try ReferenceSetName.argument(reference)
        _ = try await options.send("DELETE", "/admin/v1/reference-sets/\(Hexadecimal.encode(name.digest))")
        Output.line("Removed \(name)")
    }
}

extension ReferenceSetName {
    /// The name that an argument spells.
    fileprivate static func argument(_ text: String) throws -> ReferenceSetName {
        guard let name = ReferenceSetName(text) else {
            throw ValidationError("\(text) is no set's name: it is like debian-13@sha256:9f86…, with all 64 digits.")
        }
        return name
    }
}
