import ArgumentParser
import CarnetRelyingParty
import CarnetResult
import CarnetCommandLine

struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Encrypt a secret to the machine of a passport, if it proves possession.",
        discussion: """
            Example:
              carnet grant passport.jwt --jwks jwks.json --issuer https://verifier.example --audience https://vault.example \\
                  --proof proof.jwt --method POST --url https://vault.example/secrets/1 --secret disk.key --out disk.jwe

            The machine opens it with `carnet-agent open disk.jwe --passport passport.jwt --proof proof.jwt`.
            This command remembers nothing: within a minute the same proof passes again, unless --nonce is one that you gave once.
            """)

    @Argument(help: "The passport's file; - is standard input.")
    var passport: String

    @OptionGroup var options: PassportOptions
    @OptionGroup var proof: ProofOptions

    @Option(help: "The file of the secret.")
    var secret: String

    @Option(help: "The file for the encrypted secret; by default standard output.")
    var out: String?

    func run() throws {
        let verifier = try options.verifier()
        let token = try Input.token(passport),
            secret = try Input.bytes(secret, maximum: SecretMessage.maximumSecretByteCount)
        guard !secret.isEmpty else {
            throw Failure(.unreadable, "\(self.secret) is empty: there is no secret to grant.")
        }
        let now = currentTime()
        do {
            let result = try verifier.verify(token, at: now)
            guard let proven = try proof.prove(result, with: verifier, at: now) else {
                throw Failure(
                    .refused,
                    "Refused: a secret is granted only against a proof of possession. Give --proof, --method and --url."
                )
            }
            let message = try SecretGrant.seal(secret, to: proven, minimumProtection: options.keyProtection, at: now)
            try Output.bytes(message + [0x0A], to: out)
            if let out { Output.line("Granted to \(result.subject): \(out) opens in its TPM only") }
        } catch let refusal as Refusal {
            throw Failure(.refused, "Refused (\(refusal.code.rawValue)): \(refusal)")
        }
    }
}
