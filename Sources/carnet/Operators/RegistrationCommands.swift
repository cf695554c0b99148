import ArgumentParser
import CarnetCommandLine
import StrictEncoding

struct NodeRegistrationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registrations",
        abstract: "List the endorsement keys that operators registered.",
        discussion: "Example:\n  carnet node registrations --json")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    struct Entry: Encodable {
        let sha256, name, createdAt, createdBy: String?
    }

    func run() async throws {
        try await options.printList(
            "/admin/v1/endorsement-keys", "endorsement_keys", json: json,
            headings: ["endorsement key (SHA-256)", "for", "since", "by"], none: "No endorsement key is registered."
        ) { key in
            Entry(
                sha256: key["sha256"]?.string, name: key["name"]?.string, createdAt: key["created_at"]?.string,
                createdBy: key["created_by"]?.string)
        } _: { entry in
            [entry.sha256 ?? "", entry.name ?? "any name", entry.createdAt ?? "", entry.createdBy ?? ""]
        }
    }
}

struct NodeUnregisterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unregister",
        abstract: "Take a registration back. A machine that enrolled with it stays until it is removed.",
        discussion: "Example:\n  carnet node unregister --ek-sha256 9f86…0a08")

    @Option(name: .customLong("ek-sha256"), help: "SHA-256 of the endorsement key's SubjectPublicKeyInfo.")
    var fingerprint: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        guard let bytes = Hexadecimal.decode(fingerprint), bytes.count == 32 else {
            throw ValidationError("--ek-sha256 takes 64 hexadecimal digits.")
        }
        _ = try await options.send("DELETE", "/admin/v1/endorsement-keys/\(Hexadecimal.encode(bytes))")
        Output.line("No longer registered: \(Hexadecimal.encode(bytes))")
    }
}
