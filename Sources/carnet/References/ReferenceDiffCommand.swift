import CarnetAppraisal
import ArgumentParser
import CarnetCommandLine
import ReferenceValues

struct ReferenceDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what one set has and another has not.",
        discussion: """
            Example:
              carnet reference diff debian-13.json debian-13-next.json

            Exit status: 0 when both have the same values, 1 when they differ.
            """)

    @Argument(help: "The older set's file.")
    var old: String

    @Argument(help: "The newer set's file.")
    var new: String

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let added, removed: [String]
    }

    func run() throws {
        let difference = ReferenceDifference(from: try ReferenceFiles.read(old), to: try ReferenceFiles.read(new))
        let report = Report(
            added: difference.addedComponents.map(Self.describe) + difference.addedFiles.map(Self.describe),
            removed: difference.removedComponents.map(Self.describe) + difference.removedFiles.map(Self.describe))
        if json {
            try Output.json(report)
        } else {
            for line in report.removed { Output.line("- " + line.printableLine) }
            for line in report.added { Output.line("+ " + line.printableLine) }
            if difference.isEmpty { Output.line("Both have the same values.") }
        }
        if !difference.isEmpty { throw Failure(.refused, "") }
    }

    private static func describe(_ component: ReferenceComponent) -> String {
        let bounds = [
            component.window.from.map { "from \($0)" }, component.window.until.map { "until \($0)" },
        ]
        return ([component.type.rawValue, component.digest.description, component.name] + bounds.compactMap { $0 })
            .joined(separator: " ")
    }

    private static func describe(_ file: ReferenceFile) -> String {
        "file \(file.digest) \(String(decoding: file.path, as: UTF8.self))"
    }
}
