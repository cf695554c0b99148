public import ArgumentParser
public import CarnetAttester
import CarnetCommandLine
import CarnetResult

struct SecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Secrets that a broker keeps for this machine.",
        subcommands: [Get.self])

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "get",
            abstract: "Attest, fetch a secret from a broker, and open it with the TPM.",
            discussion: """
                Examples:
                  carnet-agent secret get default/tls/edge-17 --broker https://broker.example --verifier https://verifier.example --out tls.key
                  carnet-agent secret get default/kek/1 --form tpm-import --broker https://broker.example --verifier https://verifier.example --out kek

                The broker gives it when its policy allows this machine in this state. It travels encrypted to a key of the TPM that works in
                this state only.
                """)

        @OptionGroup var tpm: TPMOptions
        @OptionGroup var broker: BrokerOptions

        @Argument(help: "The secret's name: REPOSITORY/TYPE/TAG.")
        var name: String

        @Option(help: "The form in which it travels: jwe, or tpm-import (at most 128 bytes).")
        var form: BrokerClient.SecretForm = .jwe

        @Option(help: "The file for the secret, mode 0600; - is standard output.")
        var out: String

        func run() async throws {
            guard BrokerClient.isSecretName(name) else {
                throw ValidationError("\(name) is no secret's name, as default/tls/edge-17.")
            }
            guard let urls = try broker.urls() else { throw ValidationError("Give --broker and --verifier.") }
            let device = try tpm.device()
            do {
                let secret = try await broker.withClient(
                    tpm, device, urls, includesStorageKey: form == .tpmImport
                ) { client, _ in try await client.secret(name, form: form) }
                try Output.bytes(secret, to: out)
                if out != "-" { Output.aside("The secret \(name) is in \(out).") }
            } catch let error as JOSEError {
                throw Failure(.refused, "The secret cannot be opened here: \(error).")
            }
        }
    }
}

extension BrokerClient.SecretForm: ExpressibleByArgument {}
