import ArgumentParser
import CarnetCommandLine
import CarnetResult
import Cryptography

struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract:
            "Make, renew, look at and check trust bundles: all that a relying party without network needs, in one file.",
        subcommands: [
            BundleKeyCommand.self, BundleMakeCommand.self, BundleRenewCommand.self, BundleShowCommand.self,
            BundleCheckCommand.self,
        ])

    /// The bundle key of a file.
    static func key(_ file: String) throws -> SigningKey {
        do {
            return try SigningKey(PrivateKey(pkcs8: Input.bytes(file, maximum: 4096)))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.unreadable, "\(file) is no bundle key, which is P-256 in PKCS #8 (DER): \(error)")
        }
    }

    static func failure(_ error: BundleError) -> Failure {
        Failure(error.code == .untrustedSigner ? .refused : .unreadable, "The bundle cannot be made: \(error).")
    }
}

struct BundleKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make a key that signs bundles, and print its thumbprint.",
        discussion: """
            Example:
              carnet bundle key --out bundle.key

            The file is PKCS #8 (DER) with mode 0600. Keep it off line; relying parties need the thumbprint only.
            """)

    @Option(help: "The file for the key.")
    var out: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let key = try PrivateKey.generate()
        try Output.bytes(key.pkcs8, to: out)
        let thumbprint = try SigningKey(key).keyID
        if json { return try Output.json(["thumbprint": thumbprint]) }
        Output.line(thumbprint)
    }
}
