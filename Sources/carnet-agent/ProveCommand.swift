import ArgumentParser
import CarnetAttester
import CarnetResult
import Foundation
import TPM2

struct ProveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Prove for one request that this machine holds the passport's key (DPoP, RFC 9449).",
        discussion: """
            Example:
              curl -H "Authorization: DPoP $(cat passport.jwt)" \\
                   -H "DPoP: $(carnet-agent prove passport.jwt --method GET --url https://vault.example/secrets/1)" \\
                   https://vault.example/secrets/1
            """)

    @OptionGroup var tpm: TPMOptions

    @Argument(help: "The passport's file; - is standard input.")
    var passport: String

    @Option(help: "The request's HTTP method.")
    var method: String

    @Option(help: "The request's URL; query and fragment are left out of the proof.")
    var url: String

    @Option(help: "The nonce that the server gave (DPoP-Nonce).")
    var nonce: String?

    func run() throws {
        let state = try AttesterState(in: tpm.state) ?? AttesterState()
        let passport = try File.readToken(passport)
        let device = try tpm.device()
        let key = try device.signingKey(unique: state.signingUnique)
        let proof = try PossessionProof(
            for: ProvenRequest(method: method, uri: url), showing: passport,
            key: JSONWebKey(key.publicArea.publicKey()),
            nonce: nonce, issuedAt: Int64(Date().timeIntervalSince1970)
        ) { try device.sign(digest: $0, with: key) }
        print(String(decoding: proof.token, as: UTF8.self))
    }
}
