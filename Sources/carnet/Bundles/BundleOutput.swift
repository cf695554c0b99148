import ArgumentParser
import CarnetCommandLine
import CarnetResult

/// Where a new bundle goes, and what is said of it.
struct BundleOutput: ParsableArguments {
    @Option(help: "The file for the bundle, mode 0644; by default standard output.")
    var out: String?

    @Flag(help: "With --out: print what is in the bundle as JSON.")
    var json = false

    private var file: String? { out == "-" ? nil : out }

    func validate() throws {
        guard !json || file != nil else { throw ValidationError("With --json, --out names the file for the bundle.") }
    }

    /// Writes the bundle, and tells what is in it; on standard error where the bundle itself goes to standard output.
    func write(_ token: [UInt8], signedBy signer: String, notes: [String]) throws {
        try Output.token(token, to: file, for: .everybody)
        var report: BundleReport
        do {
            let bundle = try UnverifiedBundle(parsing: token)
            report = BundleReport(bundle.link, try bundle.unverifiedContent(), verified: true, at: currentTime())
        } catch {
            throw BundleCommand.failure(making: error)
        }
        report.file = file
        report.notes += notes
        if json { return try Output.json(report) }
        let print: (String) -> Void = file == nil ? { Output.aside($0) } : { Output.line($0) }
        print("\(file ?? "This") is bundle \(report.sequence) of \(report.name), signed by \(signer)")
        report.print(to: print)
    }
}
