import ArgumentParser
import CarnetCommandLine
import CarnetRelyingParty

struct BundleCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a bundle as a relying party does, and remember it.",
        discussion: """
            Examples:
              carnet bundle check trust.bundle --root-key <thumbprint>
              carnet bundle check trust.bundle --root-key <thumbprint> --bundle-state trust.state

            With --bundle-state, an older bundle and a fork are refused from then on.
            """)

    @Argument(help: "The bundle's file; - is standard input.")
    var file: String

    @OptionGroup var anchor: BundleAnchor

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard anchor.isGiven else { throw ValidationError("Give --root-key, --bundle-state, or both.") }
    }

    func run() throws {
        let report = BundleReport(try anchor.open(file), at: currentTime())
        if json { return try Output.json(report) }
        report.print { Output.line($0) }
    }
}
