import CarnetClient
import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import Foundation

/// Which verifier, and how to reach it. Options go before the environment.
struct VerifierAddress: ParsableArguments {
    @Option(help: "The verifier's URL; by default the environment's CARNET_VERIFIER.")
    var verifier: String?

    @Option(
        name: .customLong("ca-file"),
        help: "A PEM file of authorities to trust instead of the system's; also CARNET_CA_FILE in the environment.")
    var authorityFile: String?

    @Flag(help: "Allow http:// to a loopback address; also with CARNET_PLAIN_HTTP=1 in the environment.")
    var plainHTTP = false

    /// The verifier's URL, if it is given anywhere.
    var url: String? { verifier ?? Self.environment("CARNET_VERIFIER") }

    /// A variable's value; one that is set to nothing is not set.
    static func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A connection that is made at the first request.
    func connection(token: String? = nil, identity: ClientIdentity? = nil) throws -> ServiceConnection {
        guard let url else { throw ValidationError("Which verifier? Give --verifier, or set CARNET_VERIFIER.") }
        return try ServiceConnection(
            url, allowPlainHTTP: plainHTTP || Self.environment("CARNET_PLAIN_HTTP") == "1",
            authorityFile: authorityFile ?? Self.environment("CARNET_CA_FILE"), token: token, identity: identity,
            patience: Patience { seconds, reason in
                Output.aside("\(reason) Waiting \(seconds) \(seconds == 1 ? "second" : "seconds").")
            })
    }

    /// Opens a connection for `body`, and closes it whatever comes.
    static func with<Value>(
        _ open: () throws -> ServiceConnection, _ body: (ServiceConnection) async throws -> Value
    ) async throws -> Value {
        do {
            let connection = try open()
            let result: Result<Value, any Error>
            do {
                result = .success(try await body(connection))
            } catch {
                result = .failure(error)
            }
            await connection.close()
            return try result.get()
        } catch let failure as ServiceConnection.Failure {
            let status: Failure.Status =
                switch failure.code {
                case .usage: .unreadable
                case .unreachable: .unreachable
                case .refused: .refused
                }
            throw Failure(status, failure.description)
        }
    }
}
