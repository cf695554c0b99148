import ArgumentParser

/// How long a bundle counts, and who signs the next one.
struct BundleTerms: ParsableArguments {
    @Option(help: "For how many days the bundle counts: 1 to 400. By default 30, and in a renewal as before.")
    var days: Int64?

    @Option(
        help: "For how many days more it counts, with a warning: 0 to 90. By default 7, and in a renewal as before.")
    var graceDays: Int64?

    // A thumbprint may begin with a hyphen.
    @Option(
        parsing: .unconditionalSingleValue,
        help: "The thumbprint of a key that may sign the next bundle; repeat for several. By default as before.")
    var nextKey: [String] = []

    static let usualDays: Int64 = 30
    static let usualGraceDays: Int64 = 7

    /// Who may sign the next bundle; `nil` when nothing is said.
    var nextSigners: [String]? { nextKey.isEmpty ? nil : nextKey }

    func validate() throws {
        guard (1...400).contains(days ?? 1), (0...90).contains(graceDays ?? 0) else {
            throw ValidationError("--days is 1 to 400, and --grace-days 0 to 90.")
        }
    }
}
