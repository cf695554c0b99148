import ArgumentParser
import CarnetCommandLine
import CarnetResult

struct BundleRenewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew",
        abstract: "Make the bundle that follows another.",
        discussion: """
            Examples:
              carnet bundle renew trust.bundle --key bundle.key --verifier https://verifier.example --out trust.bundle
              carnet bundle renew trust.bundle --key bundle.key --issuer https://second.example --jwks second.json --out trust.bundle
              carnet bundle renew trust.bundle --key bundle.key --remove-issuer https://second.example --out trust.bundle
              carnet bundle renew trust.bundle --key bundle.key --depth event-log --drop-minimum policy-id --out trust.bundle
              carnet bundle renew trust.bundle --key old.key --next-key <thumbprint of new.key> --out trust.bundle

            What is not given stays as it was: issuers and their order, keys, lists, how long the bundle counts, its grace, and each demand of
            its minimum policy. A next key that --jwks or the verifier names as a current one becomes one. CARNET_VERIFIER in the environment
            counts as --verifier, unless files are given.
            After the last example, new.key signs, and old.key signs nothing more.
            """)

    @Argument(help: "The file of the bundle before.")
    var previous: String

    @Option(help: "The file of a bundle key that the bundle before names for the next.")
    var key: String

    @OptionGroup(title: "What the bundle before must begin with, if that is not --key itself") var anchor: BundleAnchor
    @OptionGroup var source: BundleSource
    @OptionGroup var terms: BundleTerms
    @OptionGroup var minimum: MinimumOptions

    @Option(help: "Take an issuer out; repeat for several.")
    var removeIssuer: [String] = []

    @Option(help: ArgumentHelp("Demand this no longer; repeat for several.", valueName: "name"))
    var dropMinimum: [MinimumMember] = []

    @Option(help: "Leave links of the chain out up to this number, which every machine has followed.")
    var dropLinksUpTo: Int64 = 0

    @OptionGroup var output: BundleOutput

    func validate() throws {
        if let both = dropMinimum.first(where: minimum.given.contains) {
            throw ValidationError("--drop-minimum \(both.rawValue) and --\(both.rawValue) say opposite things.")
        }
        if let both = removeIssuer.first(where: source.issuer.contains) {
            throw ValidationError("--issuer and --remove-issuer both name \(both).")
        }
    }

    func run() async throws {
        let key = try BundleKeyCommand.read(key), now = currentTime()
        let (before, old) = try readPrevious(trusting: key)
        var content = old
        try remove(from: &content.issuers)
        let notes = try await update(&content.issuers)
        content.issuedAt = now
        content.expiresAt = now + (terms.days.map { $0 * 86_400 } ?? old.expiresAt - old.issuedAt)
        content.grace = terms.graceDays.map { $0 * 86_400 } ?? old.grace
        for member in dropMinimum { member.drop(from: &content.minimum) }
        content.minimum = minimum.tightening(content.minimum)
        let token: [UInt8]
        do {
            token = try key.sign(
                content, following: before, nextSigners: terms.nextSigners, droppingLinksUpTo: dropLinksUpTo)
        } catch {
            throw BundleCommand.failure(making: error)
        }
        try output.write(token, signedBy: key.keyID, notes: notes)
    }

    /// What is carried over must be what one of our own keys signed: a file that somebody put in its place begins with theirs.
    private func readPrevious(trusting key: SigningKey) throws -> (UnverifiedBundle, BundleContent) {
        do {
            let trust = try anchor.isGiven ? anchor.trust() : BundleTrust(rootKey: key.keyID)
            let before = try UnverifiedBundle(parsing: Input.statusList(previous))
            return (before, try before.verified(trusting: trust).content)
        } catch let error as BundleError {
            guard error.code == .untrustedSigner, !anchor.isGiven else {
                throw BundleCommand.failure(error, reading: previous)
            }
            let advice = "If the chain began with another of your keys, give its thumbprint with --root-key."
            throw Failure(.refused, "\(previous) is not from \(key.keyID): \(error). \(advice)")
        }
    }

    private func remove(from issuers: inout [BundledIssuer]) throws {
        for name in removeIssuer {
            guard let index = issuers.firstIndex(where: { $0.name == name }) else {
                let names = issuers.map(\.name).joined(separator: ", ")
                throw Failure(.refused, "The bundle has no issuer \(name) to remove; it has \(names).")
            }
            issuers.remove(at: index)
        }
        guard !issuers.isEmpty || !source.issuer.isEmpty else {
            throw Failure(.refused, "No issuer would be left: give another with --issuer and --jwks.")
        }
    }

    /// Takes in what the options name, at its place or at the end, and returns what to tell.
    private func update(_ issuers: inout [BundledIssuer]) async throws -> [String] {
        guard !source.isEmpty else {
            guard let name = source.issuer.first else { return [] }
            throw ValidationError(
                "What about --issuer \(name)? Give --verifier, --jwks, --next-jwks or --status-list, too.")
        }
        guard let name = source.issuer.first ?? (issuers.count == 1 ? issuers[0].name : nil) else {
            let names = issuers.map(\.name).joined(separator: ", ")
            throw ValidationError("\(source.origin) is of which issuer? Say it with --issuer. The bundle has \(names).")
        }
        let index = issuers.firstIndex { $0.name == name }
        let made = try await source.update(of: name).applied(to: index.map { issuers[$0] })
        guard let index else {
            issuers.append(made.issuer)
            return made.notes + ["\(name) is new in the bundle."]
        }
        issuers[index] = made.issuer
        return made.notes
    }
}
