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

    @OptionGroup var certificate: OperatorCertificate

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
        let credential = try certificate.credential(tokenFile, variable: "CARNET_TOKEN_FILE")
        return try address.connection(token: credential.token, identity: credential.identity)
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
