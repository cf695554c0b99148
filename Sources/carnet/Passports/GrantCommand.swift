import ArgumentParser
import CarnetRelyingParty
import CarnetResult
import CarnetSealing
import CarnetCommandLine

struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Encrypt a secret to the machine of a passport, if it proves possession.",
        discussion: """
            Examples:
              carnet grant passport.jwt --jwks jwks.json --issuer https://verifier.example --audience https://vault.example \\
                  --proof proof.jwt --method POST --url https://vault.example/secrets/1 --secret disk.key --out disk.jwe
              carnet grant passport.jwt … --proof proof.jwt --method POST --url … --form tpm-import --secret disk.key --out disk.json

            The machine opens it with `carnet-agent open disk.jwe --passport passport.jwt --proof proof.jwt`.
            A TPM import blob (1 to 128 bytes, for a passport with a storage key) opens only while the machine's PCRs are as they were
            attested, then and later: the TPM itself refuses in another state.
            This command remembers nothing: within a minute the same proof passes again, unless --nonce is one that you gave once.
            """)

    @Argument(help: "The passport's file; - is standard input.")
    var passport: String

    @OptionGroup var options: PassportOptions
    @OptionGroup var proof: ProofOptions

    @Option(help: "The form: jwe, or tpm-import, which the TPM opens in the attested state only.")
    var form: Form = .jwe

    enum Form: String, ExpressibleByArgument, CaseIterable {
        case jwe
        case tpmImport = "tpm-import"

        var grantForm: GrantForm { self == .jwe ? .jwe : .tpmImport }
    }

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
            let message = try SecretGrant.seal(
                secret, to: proven, as: form.grantForm, minimumProtection: options.keyProtection, at: now)
            try Output.token(message, to: out)
            if case .unknown = result.revocation { Output.aside(result.revocation.sentence) }
            if let out {
                let state = form == .tpmImport ? ", in the attested state" : ""
                Output.line("Granted to \(result.subject): \(out) opens in its TPM only\(state)")
            }
        } catch let refusal as Refusal {
            throw Failure(.refused, "Refused (\(refusal.code.rawValue)): \(refusal)")
        }
    }
}
