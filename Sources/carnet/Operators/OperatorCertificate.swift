import ArgumentParser
import CarnetClient
import CarnetCommandLine

/// How operators show who they are, where it is not by an API token, and which of the two counts.
struct OperatorCertificate: ParsableArguments {
    @Option(help: "Your TLS certificate, PEM, instead of a token; also CARNET_CLIENT_CERTIFICATE in the environment.")
    var clientCertificate: String?

    @Option(help: "Its private key, PEM; by default the environment's CARNET_CLIENT_KEY.")
    var clientKey: String?

    /// Who calls: one of the two, never both.
    struct Credential {
        var token: String?
        var identity: ClientIdentity?
    }

    /// Whether a certificate is named anywhere.
    var isGiven: Bool { (clientCertificate ?? VerifierAddress.environment("CARNET_CLIENT_CERTIFICATE")) != nil }

    /// The token, or the certificate where no token is named. What is said on the command line goes before the environment.
    ///
    /// - Parameters:
    ///   - tokenFile: The token's file, as the command line names it.
    ///   - variable: What names it in the environment.
    func credential(_ tokenFile: String?, variable: String) throws -> Credential {
        let identity = try self.identity
        let tokenFile = tokenFile ?? (clientCertificate == nil ? VerifierAddress.environment(variable) : nil)
        if let tokenFile {
            return Credential(token: String(decoding: try Input.apiToken(tokenFile), as: UTF8.self))
        }
        guard let identity else {
            throw ValidationError(
                "With which API token? Give --token-file, or set \(variable); or a certificate: --client-certificate.")
        }
        return Credential(identity: identity)
    }

    private var identity: ClientIdentity? {
        get throws {
            let certificate = clientCertificate ?? VerifierAddress.environment("CARNET_CLIENT_CERTIFICATE")
            guard let certificate else { return nil }
            guard let key = clientKey ?? VerifierAddress.environment("CARNET_CLIENT_KEY") else {
                throw ValidationError("With which key? Give --client-key, or set CARNET_CLIENT_KEY.")
            }
            return ClientIdentity(certificateFile: certificate, privateKeyFile: key)
        }
    }
}
