import ArgumentParser
import CarnetCommandLine
import CarnetResult

struct BundleShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what a bundle says of itself; nothing is verified.",
        discussion: """
            Example:
              carnet bundle show trust.bundle --json
            """)

    @Argument(help: "The bundle's file; - is standard input.")
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        do {
            let bundle = try UnverifiedBundle(parsing: Input.statusList(file))
            let report = BundleReport(
                bundle.link, try bundle.unverifiedContent(), verified: false, at: currentTime())
            if json { return try Output.json(report) }
            report.print { Output.line($0) }
        } catch let error as BundleError {
            throw BundleCommand.failure(error, reading: file)
        }
    }
}
