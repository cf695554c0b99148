import ArgumentParser
import CarnetClient
import CarnetCommandLine
import CarnetResult
import StrictEncoding

/// Which broker, and as whom. Both may come from the environment, so that scripts need not repeat them.
struct BrokerOptions: ParsableArguments {
    @Option(help: "The broker's URL; by default the environment's CARNET_BROKER.")
    var broker: String?

    @Option(
        name: .customLong("ca-file"),
        help: "A PEM file of authorities to trust instead of the system's; also CARNET_CA_FILE in the environment.")
    var authorityFile: String?

    @Flag(help: "Allow http:// to a loopback address; also with CARNET_PLAIN_HTTP=1 in the environment.")
    var plainHTTP = false

    @Option(help: "The file of your API token for the broker; by default the environment's CARNET_BROKER_TOKEN_FILE.")
    var tokenFile: String?

    @OptionGroup var certificate: OperatorCertificate

    /// Whether a broker is named anywhere.
    var isGiven: Bool { (broker ?? VerifierAddress.environment("CARNET_BROKER")) != nil }

    /// Sends one request, and returns the answer's bytes.
    func send(
        _ method: String, _ path: String, contentType: String = "application/json", body: [UInt8]? = nil
    ) async throws -> [UInt8] {
        try await VerifierAddress.with({ try connection() }) { connection in
            try await connection.send(method, path, contentType: body == nil ? nil : contentType, body: body).body
        }
    }

    /// The same for an answer that is JSON.
    func read(_ method: String, _ path: String, body: [UInt8]? = nil) async throws -> JSONNode {
        do {
            return try JSONDocument(parsing: try await send(method, path, body: body), maximumByteCount: 4 << 20).root
        } catch let error as JSONError {
            throw Failure(.unreachable, "The broker's answer is not JSON: \(error)")
        }
    }

    /// Each element of a list that comes in pages.
    func list(_ path: String, _ member: String, _ body: (JSONNode) -> Void) async throws {
        var after: String?
        repeat {
            let place = after.map { "after=" + OperatorOptions.queryValue($0) }
            let page = try await read("GET", path + (place.map { (path.contains("?") ? "&" : "?") + $0 } ?? ""))
            for element in page[member]?.elements ?? [] { body(element) }
            after = page["next"]?.string
        } while after != nil
    }

    private func connection() throws -> ServiceConnection {
        guard let url = broker ?? VerifierAddress.environment("CARNET_BROKER") else {
            throw ValidationError("Which broker? Give --broker, or set CARNET_BROKER.")
        }
        let credential = try certificate.credential(tokenFile, variable: "CARNET_BROKER_TOKEN_FILE")
        return try ServiceConnection(
            url, allowPlainHTTP: plainHTTP || VerifierAddress.environment("CARNET_PLAIN_HTTP") == "1",
            authorityFile: authorityFile ?? VerifierAddress.environment("CARNET_CA_FILE"),
            token: credential.token, identity: credential.identity, service: "broker")
    }
}

/// A machine on the command line of a broker, which knows it by its subject and not by its name.
enum MachineSubject {
    /// - Throws: `ValidationError`, with the next step, for what is no subject.
    static func check(_ text: String) throws {
        guard !NodeSubject.isSubject(text) else { return }
        throw ValidationError(
            "\(text) is no machine's subject, such as urn:carnet:node:…: a broker knows no names. `carnet node list` shows it."
        )
    }
}

/// A secret's name on the command line.
struct SecretPath {
    let text: String

    /// Reads `repository/type/tag`.
    init(_ text: String) throws {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isName = { (part: Substring) in
            (1...64).contains(part.utf8.count)
                && part.utf8.allSatisfy {
                    switch $0 {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                    default: false
                    }
                }
        }
        guard parts.count == 3, parts.allSatisfy(isName) else {
            throw ValidationError(
                "\(text) is no secret's name: write repository/type/tag, as default/disk/root.")
        }
        self.text = text
    }
}
