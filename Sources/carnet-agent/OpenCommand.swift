import ArgumentParser
import CarnetAttester
import CarnetResult
import Foundation

struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Open a secret that was encrypted to this machine's TPM.",
        discussion: """
            Example:
              carnet-agent open disk.jwe | cryptsetup open /dev/sda2 system --key-file -
              carnet-agent open disk.jwe --passport passport.jwt --proof proof.jwt --out disk.key

            With --passport and --proof, only a secret that answers this proof is opened.
            """)

    @OptionGroup var tpm: TPMOptions

    @Argument(help: "The file of the compact JWE; - is standard input.")
    var message: String

    @Option(help: "The file for the secret, mode 0600; by default standard output.")
    var out: String?

    @Option(help: "The passport that was shown; with --proof.")
    var passport: String?

    @Option(help: "The proof of possession that the secret has to answer; with --passport.")
    var proof: String?

    func run() throws {
        let expected = try recipientInfo()
        let state = try AttesterState(in: tpm.state) ?? AttesterState()
        let message = try File.readToken(message)
        let device = try tpm.device()
        let key = try device.encryptionKey(unique: state.encryptionUnique)
        do {
            let secret = try SecretMessage.open(message, recipientInfo: expected) {
                try device.sharedSecret(x: $0.x, y: $0.y, with: key)
            }
            try File.write(secret, to: out)
        } catch let error as JOSEError {
            throw Refused(
                description:
                    "The secret cannot be opened here: \(error). It was encrypted to the TPM that the passport named.")
        }
    }

    private func recipientInfo() throws -> [UInt8]? {
        switch (passport, proof) {
        case (nil, nil): return nil
        case (let passport?, let proof?):
            guard
                let info = try SecretMessage.recipientInfo(of: File.readToken(proof), showing: File.readToken(passport))
            else { throw ValidationError("\(proof) is no proof of possession.") }
            return info
        default: throw ValidationError("Give --passport and --proof together.")
        }
    }
}
