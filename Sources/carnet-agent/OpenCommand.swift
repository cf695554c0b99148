import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetCommandLine
import CarnetResult

struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Open a secret that was encrypted to this machine's TPM.",
        discussion: """
            Examples:
              carnet-agent open disk.jwe --passport passport.jwt --proof proof.jwt --out disk.key
              carnet-agent open disk.json --passport passport.jwt --proof proof.jwt --out disk.key
              carnet-agent open disk.jwe --any-sender | hexdump -C

            Both forms are opened: a JWE, and a TPM import blob, which the TPM opens only while the PCRs are as they were attested.
            Only a secret that answers the proof is opened. A message is not signed: whoever knows the passport can make one, so take it
            from a service that you know, over TLS.
            """)

    @OptionGroup var tpm: TPMOptions

    @Argument(help: "The file of the compact JWE or the import blob; - is standard input.")
    var message: String

    @Option(help: "The file for the secret, mode 0600; by default standard output.")
    var out: String?

    @Option(help: "The passport that was shown; with --proof, or with --any-sender for keys that it binds to a state.")
    var passport: String?

    @Option(help: "The proof of possession that the secret has to answer; with --passport.")
    var proof: String?

    @Flag(help: "Open whatever was encrypted to this TPM, in answer to whatever request.")
    var anySender = false

    func run() throws {
        let shown = try passport.map { try Input.token($0) }
        let expected = try recipientInfo(shown)
        let state = try AttesterState(in: tpm.state) ?? AttesterState()
        let message = try Input.token(message)
        let device = try tpm.device()
        do {
            let secret =
                ImportMessage.isOne(message)
                ? try device.unseal(ImportMessage(parsing: message), with: state, recipientInfo: expected)
                : try device.decrypt(
                    message, with: state, keyState: shown.flatMap(HeldPassport.init)?.encryptionState,
                    recipientInfo: expected)
            try Output.bytes(secret, to: out)
        } catch let error as JOSEError {
            throw Failure(
                .refused,
                "The secret cannot be opened here: \(error). It was encrypted to the TPM that the passport named.")
        }
    }

    private func recipientInfo(_ shown: [UInt8]?) throws -> [UInt8]? {
        switch (shown, proof) {
        case (_, nil) where anySender: return nil
        case (nil, nil):
            throw ValidationError(
                "Give --passport and --proof, so that only an answer to that proof is opened, or --any-sender.")
        case (let passport?, let proof?):
            guard let info = try SecretMessage.recipientInfo(of: Input.token(proof), showing: passport) else {
                throw ValidationError("\(proof) is no proof of possession.")
            }
            return info
        default: throw ValidationError("Give --passport and --proof together.")
        }
    }
}
