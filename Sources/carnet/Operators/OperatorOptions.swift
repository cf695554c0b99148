import ArgumentParser
import CarnetAttester
import Foundation
import StrictEncoding

/// Which verifier, and with which API token. Both may come from the environment, so that scripts need not repeat them.
struct OperatorOptions: ParsableArguments {
    @Option(help: "The verifier's URL; by default the environment's CARNET_VERIFIER.")
    var verifier: String?

    @Option(help: "The file of your API token; by default the environment's CARNET_TOKEN_FILE.")
    var tokenFile: String?

    @Option(name: .customLong("ca-file"), help: "A PEM file of authorities to trust instead of the system's.")
    var authorityFile: String?

    @Flag(help: "Allow http:// to a loopback address; also with CARNET_PLAIN_HTTP=1 in the environment.")
    var plainHTTP = false

    /// Sends one request with the token and returns the answer's JSON.
    func send(_ method: String, _ path: String, contentType: String = "application/json", body: [UInt8]? = nil)
        async throws -> JSONNode?
    {
        do {
            let connection = try connection()
            let result: Result<VerifierConnection.Answer, any Error>
            do {
                result = .success(
                    try await connection.send(method, path, contentType: body == nil ? nil : contentType, body: body))
            } catch {
                result = .failure(error)
            }
            await connection.close()
            let answer = try result.get()
            guard !answer.body.isEmpty else { return nil }
            return try JSONDocument(parsing: answer.body, maximumByteCount: 4 << 20).root
        } catch let failure as VerifierConnection.Failure {
            throw Failure(
                failure.code == .usage ? .unreadable : failure.code == .unreachable ? .unreachable : .refused,
                failure.description)
        } catch let error as JSONError {
            throw Failure(.unreachable, "The verifier's answer is not JSON: \(error)")
        }
    }

    /// A connection with the token.
    func connection() throws -> VerifierConnection {
        let environment = ProcessInfo.processInfo.environment
        guard let url = verifier ?? environment["CARNET_VERIFIER"] else {
            throw ValidationError("Which verifier? Give --verifier, or set CARNET_VERIFIER.")
        }
        guard let tokenFile = tokenFile ?? environment["CARNET_TOKEN_FILE"] else {
            throw ValidationError("With which API token? Give --token-file, or set CARNET_TOKEN_FILE.")
        }
        let token = String(decoding: try Input.token(tokenFile), as: UTF8.self)
        return try VerifierConnection(
            url, allowPlainHTTP: plainHTTP || environment["CARNET_PLAIN_HTTP"] == "1", authorityFile: authorityFile,
            token: token)
    }

    /// The identifier of a node that is named by its name or its identifier.
    func nodeIdentifier(_ name: String) async throws -> String {
        let allowed = CharacterSet.urlQueryAllowed.subtracting(CharacterSet(charactersIn: "&+=#?"))
        let query = name.addingPercentEncoding(withAllowedCharacters: allowed) ?? name
        let nodes = try await send("GET", "/admin/v1/nodes?name=\(query)")?["nodes"]?.elements ?? []
        if let identifier = nodes.first?["id"]?.string { return identifier }
        let all = try await send("GET", "/admin/v1/nodes")?["nodes"]?.elements ?? []
        guard let node = all.first(where: { $0["id"]?.string == name }), let identifier = node["id"]?.string else {
            throw Failure(.refused, "There is no node \(name). See `carnet node list`.")
        }
        return identifier
    }
}
