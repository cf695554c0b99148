public import ArgumentParser
import CarnetCommandLine
public import CarnetAppraisal

extension ReferenceFormat: ExpressibleByArgument {}

struct ReferenceImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract:
            "Add the values of a set that somebody else made to yours. Where both have a value, its window stands.",
        discussion: "Example:\n  carnet reference import vendor.json --into debian-13.json")

    @Argument(help: "The other set's file; - is standard input.")
    var file: String

    @Option(help: "Your set's file. A new set is called like it.")
    var into: String

    @Option(help: "How the other set is written.")
    var format = ReferenceFormat.json

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let other = try ReferenceFiles.read(file, format: format), before = try ReferenceFiles.readOrMake(into)
        let after = try ReferenceFiles.explaining(into) { () throws(ReferenceSetError) in try before.merging(other) }
        try ReferenceFiles.write(after, to: into)
        try ReferenceChange(before, after).print(json: json)
    }
}

struct ReferenceExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a set in the one order and spelling whose SHA-256 names it.",
        discussion: "Example:\n  carnet reference export edited.json --out debian-13.json")

    @Argument(help: "The set's file; - is standard input.")
    var set: String

    @Option(help: "The file to write; by default standard output.")
    var out: String?

    @Option(help: "How it is written.")
    var format = ReferenceFormat.json

    func run() throws { try ReferenceFiles.write(try ReferenceFiles.read(self.set), to: out, format: format) }
}
