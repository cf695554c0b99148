import CarnetAppraisal
import ArgumentParser
import CarnetCommandLine
import Foundation
import StrictEncoding
import ReferenceValues

struct ReferenceShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what is in a set, and what of it counts now.",
        discussion: "Examples:\n  carnet reference show debian-13.json\n  carnet reference show debian-13.json --json")

    @Argument(help: "The set's file; - is standard input.")
    var set: String

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        struct Component: Encodable {
            let type, name, digest: String
            let from, until: String?
            let inForce: Bool

            enum CodingKeys: String, CodingKey {
                case type = "class"
                case name, digest, from, until, inForce
            }
        }
        let name, description, sha256: String
        let components: [Component]
        let files: Int
    }

    func run() throws {
        let set = try ReferenceFiles.read(self.set), now = Int64(Date().timeIntervalSince1970)
        let components = set.components.map {
            Report.Component(
                type: $0.type.rawValue, name: $0.name, digest: $0.digest.description,
                from: $0.window.from.map(RFC3339.format), until: $0.window.until.map(RFC3339.format),
                inForce: $0.window.contains(now))
        }
        let report = Report(
            name: set.name, description: set.description, sha256: try ReferenceFiles.digest(set),
            components: components, files: set.files.count)
        if json { return try Output.json(report) }
        Output.table([
            ("name", report.name), ("description", report.description), ("set", report.sha256),
            ("components", String(components.count)), ("files", String(report.files)),
        ])
        guard !components.isEmpty else { return }
        Output.line()
        Output.table(
            headings: ["class", "name", "digest", "counts"],
            components.map { [$0.type, $0.name, $0.digest, Self.describe($0)] })
    }

    private static func describe(_ component: Report.Component) -> String {
        let window = [component.from.map { "from \($0)" }, component.until.map { "until \($0)" }].compactMap { $0 }
        let text = window.isEmpty ? "always" : window.joined(separator: " ")
        return component.inForce ? text : "not now: " + text
    }
}

struct ReferenceCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read a set strictly, and print the name for policies.",
        discussion: "Example:\n  carnet reference check debian-13.json")

    @Argument(help: "The set's file; - is standard input.")
    var set: String

    func run() throws {
        let set = try ReferenceFiles.read(self.set)
        Output.line("\(set.components.count) components, \(set.files.count) files")
        Output.line("For policies:\n  references:\n    - \(set.name)@\(try ReferenceFiles.digest(set))")
    }
}
