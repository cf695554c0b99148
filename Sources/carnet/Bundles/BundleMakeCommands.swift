import ArgumentParser
import CarnetCommandLine
import CarnetResult

struct BundleMakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make",
        abstract: "Make the first bundle of a chain.",
        discussion: """
            Examples:
              carnet bundle make --key bundle.key --name urn:example:trust --issuer https://verifier.example \\
                  --verifier https://verifier.example --depth event-log --out trust.bundle
              carnet bundle make --key bundle.key --name urn:example:trust --issuer https://verifier.example \\
                  --jwks jwks.json --status-list list.jwt --out trust.bundle
            """)

    @Option(help: "The file of the bundle key.")
    var key: String

    @Option(help: "What the bundle is called, in all its numbers.")
    var name: String

    @OptionGroup var source: BundleSource
    @OptionGroup var minimum: MinimumOptions

    @Option(help: "The file for the bundle; by default standard output.")
    var out: String?

    func validate() throws {
        guard source.issuer != nil, source.verifier != nil || source.jwks != nil else {
            throw ValidationError("Give --issuer, and --verifier or --jwks.")
        }
    }

    func run() async throws {
        let key = try BundleCommand.key(key)
        guard let issuer = try await source.issuer(named: source.issuer ?? "") else {
            throw ValidationError("Give --verifier or --jwks.")
        }
        let now = currentTime()
        let content = BundleContent(
            issuedAt: now, expiresAt: now + source.days * 86_400, grace: source.graceDays * 86_400, issuers: [issuer],
            minimum: minimum.minimum)
        do {
            let next = source.nextKey.isEmpty ? nil : source.nextKey
            try Output.bytes(key.sign(content, named: name, nextSigners: next) + [0x0A], to: out)
        } catch let error as BundleError {
            throw BundleCommand.failure(error)
        }
        if let out { Output.line("\(out) is bundle 1 of \(name), signed by \(key.keyID)") }
    }
}

struct BundleRenewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew",
        abstract: "Make the bundle that follows another.",
        discussion: """
            Examples:
              carnet bundle renew trust.bundle --key bundle.key --verifier https://verifier.example --out trust.bundle
              carnet bundle renew trust.bundle --key old.key --next-key <thumbprint of new.key> --out trust.bundle

            What is not given stays as it was. After the second example, new.key signs, and old.key signs nothing more.
            """)

    @Argument(help: "The file of the bundle before.")
    var previous: String

    @Option(help: "The file of a bundle key that the bundle before names for the next.")
    var key: String

    @Option(help: "The thumbprint of the chain's first key, if that is not --key itself.")
    var rootKey: String?

    @OptionGroup var source: BundleSource
    @OptionGroup var minimum: MinimumOptions

    @Option(help: "Leave links of the chain out up to this number, which every machine has followed.")
    var dropLinksUpTo: Int64 = 0

    @Option(help: "The file for the bundle; by default standard output.")
    var out: String?

    func run() async throws {
        let key = try BundleCommand.key(key), now = currentTime()
        do {
            let before = try UnverifiedBundle(parsing: Input.statusList(previous))
            var content = try carriedOver(from: before, root: rootKey ?? key.keyID)
            let name = source.issuer ?? content.issuers[0].name
            if let issuer = try await source.issuer(named: name) {
                content.issuers = content.issuers.filter { $0.name != name } + [issuer]
            }
            content.issuedAt = now
            content.expiresAt = now + source.days * 86_400
            content.grace = source.graceDays * 86_400
            if minimum.minimum != MinimumPolicy() { content.minimum = minimum.minimum }
            let token = try key.sign(
                content, following: before, nextSigners: source.nextKey.isEmpty ? nil : source.nextKey,
                droppingLinksUpTo: dropLinksUpTo)
            try Output.bytes(token + [0x0A], to: out)
            if let out { Output.line("\(out) is bundle \(before.link.sequence + 1) of \(before.link.name)") }
        } catch let error as BundleError {
            throw BundleCommand.failure(error)
        }
    }

    /// What is carried over must be what one of our own keys signed: a file that somebody put in its place begins with theirs.
    private func carriedOver(from before: UnverifiedBundle, root: String) throws -> BundleContent {
        do throws(BundleError) {
            return try before.verified(trusting: BundleTrust(rootKey: root)).content
        } catch {
            guard error.code == .untrustedSigner else { throw error }
            let advice = "If the chain began with another of your keys, give its thumbprint with --root-key."
            throw Failure(.refused, "\(previous) is not from \(root): \(error). \(advice)")
        }
    }
}
