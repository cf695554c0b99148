import ArgumentParser
import CarnetAttester
import CarnetCommandLine
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

            A passport of the strength tpm-state proves nothing any more once a PCR that it covers has changed: exit status 1.
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
        let state = try tpm.enrolledState(), token = try Input.token(passport)
        guard let summary = PassportSummary(token) else { throw Failure(.unreadable, "\(passport) holds no passport.") }
        guard summary.expiresAt > Int64(Date().timeIntervalSince1970) else {
            throw Failure(
                .refused, "The passport expired at \(summary.expiry). Get another with `carnet-agent attest`.")
        }
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty, parts.scheme != nil else {
            throw ValidationError("--url \(url) is not the URL of a request, as https://vault.example/secrets/1.")
        }
        guard !method.isEmpty, method.utf8.allSatisfy({ (0x41...0x5A).contains($0) || $0 == 0x2D }) else {
            throw ValidationError("--method is an HTTP method in capitals, as GET or POST.")
        }
        let device = try tpm.device()
        let key = try device.signingKey(unique: state.signingUnique, state: summary.signingState)
        let proof = try PossessionProof(
            for: ProvenRequest(method: method, uri: url), showing: token,
            key: JSONWebKey(key.publicArea.publicKey()),
            nonce: nonce, issuedAt: Int64(Date().timeIntervalSince1970)
        ) { try device.sign(digest: $0, with: key) }
        try Output.bytes(proof.token + [0x0A], to: nil)
    }
}
