import ArgumentParser
import CarnetCommandLine
import CarnetResult
import Cryptography

struct BundleKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make a key that signs bundles, and print its thumbprint; or print that of a key you have.",
        discussion: """
            Examples:
              carnet bundle key --out bundle.key
              carnet bundle key --show bundle.key

            The file is PKCS #8 (DER) with mode 0600; one that is there is never overwritten. Keep it off line; relying parties need the
            thumbprint only, which is also what --root-key and --next-key take.
            """)

    @Option(help: "The file for a new key; it must not be there yet.")
    var out: String?

    @Option(help: "The file of a key that is there: its thumbprint is printed.")
    var show: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (out == nil) != (show == nil) else {
            throw ValidationError("Give --out for a new key, or --show for the thumbprint of one that you have.")
        }
        guard out != "-" else { throw ValidationError("A key goes into a file: name one.") }
    }

    func run() throws {
        let thumbprint = try (show.map(Self.read) ?? make()).keyID
        if json { return try Output.json(["thumbprint": thumbprint]) }
        Output.line(thumbprint)
    }

    private func make() throws -> SigningKey {
        let key = try PrivateKey.generate(), file = out ?? ""
        try Output.newSecret(
            key.pkcs8, to: file,
            nextStep: "Name another file, or see whose key it is: carnet bundle key --show \(file)")
        return try SigningKey(key)
    }

    /// The bundle key of a file.
    static func read(_ file: String) throws -> SigningKey {
        do {
            return try SigningKey(PrivateKey(pkcs8: Input.secret(file, maximum: 4096)))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(
                .unreadable,
                "\(file) is no bundle key, which is P-256 in PKCS #8 (DER): \(error). Make one with `carnet bundle key --out`."
            )
        }
    }
}
