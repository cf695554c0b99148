import ArgumentParser
import CarnetAppraisal
import CarnetCommandLine
import Foundation
import StrictEncoding

struct TemplateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template",
        abstract: "PCR values of one firmware or image, for policies that accept templates.",
        subcommands: [TemplateAddCommand.self, TemplateListCommand.self, TemplateRemoveCommand.self])
}

struct TemplateAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Upload a template. A machine that failed for want of it passes at its next attestation.",
        discussion: """
            Example:
              carnet policy template add firmware-2.20.yaml

            The file: {version: 1, name: firmware-2.20, banks: {sha256: {0: 3f1a…, 4: 9c0b…}}, until: 2027-01-01}
            """)

    @Argument(help: "The template's file; - is standard input.")
    var file: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let bytes = try Input.bytes(file, maximum: PCRTemplate.maximumByteCount)
        let template: PCRTemplate
        do {
            template = try PCRTemplate(parsing: bytes)
        } catch {
            throw Failure(.unreadable, "\(file): \(error)")
        }
        _ = try await options.send("POST", "/admin/v1/pcr-templates", contentType: "application/yaml", body: bytes)
        let isInForce = template.window.contains(Int64(Date().timeIntervalSince1970))
        Output.line(
            "Stored\(isInForce ? "" : ", and its time is not now"): \(template.identifier). It counts for policies in force that say templates: accepted, and for no others."
        )
    }
}

struct TemplateListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the templates.",
        discussion: "Example:\n  carnet policy template list --json")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    struct Entry: Encodable {
        let name, sha256, createdAt: String?
    }

    func run() async throws {
        let list = try await options.send("GET", "/admin/v1/pcr-templates")?["pcr_templates"]?.elements ?? []
        let entries = list.map {
            Entry(name: $0["name"]?.string, sha256: $0["sha256"]?.string, createdAt: $0["created_at"]?.string)
        }
        if json { return try Output.json(entries) }
        guard !entries.isEmpty else { return Output.line("There is no template.") }
        Output.table(
            headings: ["template", "SHA-256", "since"],
            entries.map { [$0.name ?? "", $0.sha256 ?? "", $0.createdAt ?? ""] })
    }
}

struct TemplateRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a template.",
        discussion: "Example:\n  carnet policy template remove firmware-2.19")

    @Argument(help: "The template's name.")
    var name: String

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        guard PolicyText.isIdentifier(name) else { throw ValidationError("\(name) is no template's name.") }
        _ = try await options.send("DELETE", "/admin/v1/pcr-templates/\(name)")
        Output.line("Removed \(name)")
    }
}
