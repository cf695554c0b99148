import CarnetClient
import ArgumentParser
import CarnetAttester
import Foundation
import StrictEncoding
import CarnetCommandLine

/// Which verifier, and with which API token. Both may come from the environment, so that scripts need not repeat them.
struct OperatorOptions: ParsableArguments {
    @OptionGroup var address: VerifierAddress

    @Option(help: "The file of your API token; by default the environment's CARNET_TOKEN_FILE.")
    var tokenFile: String?

    @Option(help: "Your TLS certificate, PEM, instead of a token; also CARNET_CLIENT_CERTIFICATE in the environment.")
    var clientCertificate: String?

    @Option(help: "Its private key, PEM; by default the environment's CARNET_CLIENT_KEY.")
    var clientKey: String?

    /// Sends one request with the token and returns the answer's JSON.
    func send(_ method: String, _ path: String, contentType: String = "application/json", body: [UInt8]? = nil)
        async throws -> JSONNode?
    {
        try await withConnection { connection in
            try await Self.send(method, path, contentType: contentType, body: body, over: connection)
        }
    }

    /// Opens a connection for `body`, and closes it whatever comes.
    func withConnection<Value>(_ body: (ServiceConnection) async throws -> Value) async throws -> Value {
        try await VerifierAddress.with({ try connection() }, body)
    }

    /// Sends one request over a connection that is open, and returns the answer's JSON.
    static func send(
        _ method: String, _ path: String, contentType: String = "application/json", body: [UInt8]? = nil,
        over connection: ServiceConnection
    ) async throws -> JSONNode? {
        do {
            let answer = try await connection.send(
                method, path, contentType: body == nil ? nil : contentType, body: body)
            guard !answer.body.isEmpty else { return nil }
            return try JSONDocument(parsing: answer.body, maximumByteCount: 4 << 20).root
        } catch let error as JSONError {
            throw Failure(.unreachable, "The verifier's answer is not JSON: \(error)")
        }
    }

    /// A connection with the token.
    func connection() throws -> ServiceConnection {
        guard address.url != nil else {
            throw ValidationError("Which verifier? Give --verifier, or set CARNET_VERIFIER.")
        }
        let identity = try self.identity
        // What is said on the command line goes before the environment.
        let tokenFile = tokenFile ?? (clientCertificate == nil ? VerifierAddress.environment("CARNET_TOKEN_FILE") : nil)
        guard let tokenFile else {
            if let identity { return try address.connection(identity: identity) }
            throw ValidationError(
                "With which API token? Give --token-file, or set CARNET_TOKEN_FILE; or a certificate: --client-certificate."
            )
        }
        return try address.connection(token: String(decoding: try Input.token(tokenFile), as: UTF8.self))
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

    /// The identifier of a node that is named by its name or its identifier.
    func nodeIdentifier(_ name: String) async throws -> String {
        // No name has the form of an identifier.
        if UUID(uuidString: name) != nil {
            let identifier = try await withConnection { connection in
                do {
                    return try await Self.send("GET", "/admin/v1/nodes/\(name)", over: connection)?["id"]?.string
                } catch let failure as ServiceConnection.Failure where failure.status == 404 {
                    return nil
                }
            }
            guard let identifier else { throw Self.noNode(name) }
            return identifier
        }
        let nodes = try await send("GET", "/admin/v1/nodes?name=\(Self.queryValue(name))")?["nodes"]?.elements ?? []
        guard let identifier = nodes.first?["id"]?.string else { throw Self.noNode(name) }
        return identifier
    }

    private static func noNode(_ name: String) -> Failure {
        Failure(.refused, "There is no node \(name). See `carnet node list`.")
    }
}
