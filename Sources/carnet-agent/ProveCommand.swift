import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetCommandLine
import CarnetResult
import Foundation
import StrictEncoding
import TPM2

struct ProveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract:
            "Prove that this machine holds the passport's key, for one request (DPoP, RFC 9449) or to one challenge.",
        discussion: """
            Examples:
              curl -H "Authorization: DPoP $(cat passport.jwt)" \\
                   -H "DPoP: $(carnet-agent prove passport.jwt --method GET --url https://vault.example/secrets/1)" \\
                   https://vault.example/secrets/1

              carnet-agent prove passport.jwt --method GET --url https://vault.example/secrets/1 --out proof.jwt

            To a service that does not speak HTTP, answer its challenge, 32 bytes in base64url; the answer is 128 bytes in base64url:
              carnet-agent prove passport.jwt --challenge "$challenge" --audience https://vault.example

            A passport of the strength tpm-state proves nothing any more once a PCR that it covers has changed: exit status 1.
            """)

    @OptionGroup var tpm: TPMOptions

    @Argument(help: "The passport's file; - is standard input.")
    var passport: String

    @Option(help: "The request's HTTP method.")
    var method: String?

    @Option(help: "The request's URL; query and fragment are left out of the proof.")
    var url: String?

    @Option(help: "The nonce that the server gave (DPoP-Nonce).")
    var nonce: String?

    @Option(help: "The challenge of a service that does not speak HTTP: 32 bytes in base64url.")
    var challenge: String?

    @Option(help: "With --challenge: the service's own name, as you know it and as the passport's aud has it.")
    var audience: String?

    @Option(help: "With --challenge: what names the connection at both ends, in base64url (tls-exporter, RFC 9266).")
    var channelBinding: String?

    @Option(help: "The file for the proof or the answer, mode 0600; by default standard output.")
    var out: String?

    func run() throws {
        let task = try task()
        let state = try tpm.enrolledState(), token = try Input.token(passport)
        guard let summary = PassportSummary(token) else { throw Failure(.unreadable, "\(passport) holds no passport.") }
        guard summary.expiresAt > Int64(Date().timeIntervalSince1970) else {
            throw Failure(
                .refused, "The passport expired at \(summary.expiry). Get another with `carnet-agent attest`.")
        }
        let device = try tpm.device()
        let key = try device.signingKey(unique: state.signingUnique, state: summary.signingState)
        let publicKey = try JSONWebKey(key.publicArea.publicKey())
        switch task {
        case .request(let request):
            let proof = try PossessionProof(
                for: request, showing: token, key: publicKey, nonce: nonce,
                issuedAt: Int64(Date().timeIntervalSince1970)
            ) { try device.sign(digest: $0, with: key) }
            try Output.token(proof.token, to: out)
        case .challenge(let challenge, let audience, let binding):
            let answer = try PossessionAnswer(
                to: challenge, audience: audience, showing: token, channelBinding: binding, key: publicKey
            ) { try device.sign(digest: $0, with: key) }
            try Output.token(Array(Base64URL.encode(answer.bytes).utf8), to: out)
        }
    }

    /// What to sign for.
    private enum Task {
        case request(ProvenRequest)
        case challenge([UInt8], audience: String, channelBinding: [UInt8])
    }

    private func task() throws -> Task {
        if let challenge {
            guard method == nil, url == nil, nonce == nil else {
                throw ValidationError("Answer a challenge, or prove for a request: not both at once.")
            }
            guard let bytes = Base64URL.decode(challenge), bytes.count == PossessionAnswer.challengeByteCount else {
                throw ValidationError("--challenge is not 32 bytes in base64url without padding.")
            }
            guard let audience, !audience.isEmpty else {
                throw ValidationError("Give --audience: the name of the service that you mean to answer.")
            }
            guard let binding = Base64URL.decode(channelBinding ?? ""), channelBinding != "" else {
                throw ValidationError("--channel-binding is not base64url without padding.")
            }
            return .challenge(bytes, audience: audience, channelBinding: binding)
        }
        guard audience == nil, channelBinding == nil else {
            throw ValidationError("--audience and --channel-binding go with --challenge.")
        }
        guard let method, let url else {
            throw ValidationError("Give --method and --url of the request, or --challenge and --audience.")
        }
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty, parts.scheme != nil else {
            throw ValidationError("--url \(url) is not the URL of a request, as https://vault.example/secrets/1.")
        }
        guard !method.isEmpty, method.utf8.allSatisfy({ (0x41...0x5A).contains($0) || $0 == 0x2D }) else {
            throw ValidationError("--method is an HTTP method in capitals, as GET or POST.")
        }
        return .request(ProvenRequest(method: method, uri: url))
    }
}
