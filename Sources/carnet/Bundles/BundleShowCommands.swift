import ArgumentParser
import CarnetCommandLine
import CarnetRelyingParty
import CarnetResult
import Foundation

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
            let report = BundleReport(bundle.link, try bundle.unverifiedContent(), verified: false)
            if json { return try Output.json(report) }
            Output.table(report.rows)
        } catch let error as BundleError {
            throw Failure(.unreadable, "\(file): \(error)")
        }
    }
}

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
        let bundle = try anchor.open(file)
        var report = BundleReport(bundle)
        if case .inGrace(let seconds) = bundle.freshness { report.graceLeft = seconds }
        if json { return try Output.json(report) }
        Output.table(report.rows)
    }
}

/// What a bundle says.
struct BundleReport: Encodable {
    let name: String
    let sequence: Int64
    let nextSigners: [String]
    let issuedAt: Int64
    let expiresAt: Int64
    let grace: Int64
    let issuers: [Issuer]
    let verified: Bool
    var graceLeft: Int64?

    struct Issuer: Encodable {
        let issuer: String
        let keys: [String]
        let nextKeys: [String]
        let statusLists: Int

        init(_ issuer: BundledIssuer) {
            self.issuer = issuer.name
            keys = issuer.currentKeys.verificationKeys.keys.sorted()
            nextKeys = issuer.nextKeys?.verificationKeys.keys.sorted() ?? []
            statusLists = issuer.statusLists.count
        }
    }

    init(_ link: BundleLink, _ content: BundleContent, verified: Bool) {
        name = link.name
        sequence = link.sequence
        nextSigners = link.nextSigners.sorted()
        issuedAt = content.issuedAt
        expiresAt = content.expiresAt
        grace = content.grace
        issuers = content.issuers.map(Issuer.init)
        self.verified = verified
    }

    init(_ bundle: TrustBundle) {
        name = bundle.name
        sequence = bundle.sequence
        nextSigners = bundle.trust.signers.sorted()
        issuedAt = bundle.issuedAt
        expiresAt = bundle.expiresAt
        grace = bundle.grace
        issuers = bundle.issuers.map(Issuer.init)
        verified = true
    }

    var rows: [(String, String)] {
        func time(_ seconds: Int64) -> String { Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601) }
        var rows = [
            ("bundle", name), ("number", "\(sequence)"), ("signature", verified ? "trusted" : "not checked"),
            ("issued at", time(issuedAt)), ("valid until", time(expiresAt)), ("and its grace", time(expiresAt + grace)),
            ("next signed by", nextSigners.joined(separator: ", ")),
        ]
        for issuer in issuers {
            rows.append(
                (
                    "issuer",
                    "\(issuer.issuer), \(issuer.keys.count) keys, \(issuer.nextKeys.count) next, \(issuer.statusLists) status lists"
                ))
        }
        if let graceLeft { rows.append(("EXPIRED", "counts for another \(graceLeft) seconds: get the next one")) }
        return rows
    }
}
