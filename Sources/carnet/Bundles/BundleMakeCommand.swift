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

            A bundle begins with one issuer; `carnet bundle renew --issuer` adds others. Its file has mode 0644: nothing in it is secret.
            """)

    @Option(help: "The file of the bundle key.")
    var key: String

    @Option(help: "What the bundle is called, in all its numbers.")
    var name: String

    @OptionGroup var source: BundleSource
    @OptionGroup var terms: BundleTerms
    @OptionGroup var minimum: MinimumOptions
    @OptionGroup var output: BundleOutput

    func validate() throws {
        guard source.issuer.count == 1 else { throw ValidationError("Give --issuer: the issuer's name (iss).") }
        guard !source.isEmpty else {
            throw ValidationError("Where are the issuer's keys? Give --jwks or --verifier, or set CARNET_VERIFIER.")
        }
    }

    func run() async throws {
        let key = try BundleKeyCommand.read(key), now = currentTime()
        let made = try await source.update(of: source.issuer[0]).applied(to: nil)
        let content = BundleContent(
            issuedAt: now, expiresAt: now + (terms.days ?? BundleTerms.usualDays) * 86_400,
            grace: (terms.graceDays ?? BundleTerms.usualGraceDays) * 86_400, issuers: [made.issuer],
            minimum: minimum.tightening(MinimumPolicy()))
        let token: [UInt8]
        do {
            token = try key.sign(content, named: name, nextSigners: terms.nextSigners)
        } catch {
            throw BundleCommand.failure(making: error)
        }
        try output.write(token, signedBy: key.keyID, notes: made.notes)
    }
}
