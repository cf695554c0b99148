import CarnetClient
import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetResult
import StrictEncoding

/// Where an issuer's keys and lists come from: files, or the verifier itself.
struct BundleSource: ParsableArguments {
    @Option(
        help: "The issuer's name (iss), one at a time; in a renewal only where the bundle has several, or to add one.")
    var issuer: [String] = []

    @OptionGroup(title: "The verifier, from where keys and all status lists are fetched") var address: VerifierAddress

    @Option(help: "The file of the issuer's JWKS.")
    var jwks: [String] = []

    @Option(help: "The file of a JWKS with keys that the issuer will use next.")
    var nextJWKS: [String] = []

    @Option(name: .customLong("status-list"), help: "The file of a status list of the issuer; repeat for several.")
    var statusLists: [String] = []

    func validate() throws {
        for (name, values) in [("issuer", issuer), ("jwks", jwks), ("next-jwks", nextJWKS)] where values.count > 1 {
            throw ValidationError(
                "--\(name) is given \(values.count) times, and a bundle takes one issuer at a time. Add each further one with `carnet bundle renew --issuer`."
            )
        }
        guard address.verifier == nil || !hasFiles else { throw ValidationError("Give either --verifier or files.") }
    }

    /// Whether files say what would be fetched otherwise.
    private var hasFiles: Bool { !jwks.isEmpty || !statusLists.isEmpty }

    /// Whether nothing is named that could say something about an issuer.
    var isEmpty: Bool { !hasFiles && nextJWKS.isEmpty && address.url == nil }

    /// What is named, for messages.
    var origin: String {
        if let file = (jwks + statusLists + nextJWKS).first { return file }
        return "\(address.url ?? "")\(address.verifier == nil ? " (from CARNET_VERIFIER)" : "")"
    }

    /// Reads or fetches everything that the options name.
    func update(of name: String) async throws -> IssuerUpdate {
        var update = IssuerUpdate(name: name)
        if let file = nextJWKS.first { update.nextKeys = try Self.keys(Input.bytes(file), file) }
        if hasFiles {
            if let file = jwks.first { update.keys = try Self.keys(Input.bytes(file), file) }
            if !statusLists.isEmpty {
                update.lists = try statusLists.map { .init(origin: $0, token: try Input.statusList($0)) }
            }
        } else if address.url != nil {
            try await VerifierAddress.with({ try address.connection() }) { connection in
                try await Self.fetch(&update, over: connection)
            }
        }
        return update
    }

    private static func fetch(_ update: inout IssuerUpdate, over connection: ServiceConnection) async throws {
        let path = "/.well-known/jwks.json"
        let answer = try await connection.send("GET", path, maximumByteCount: JSONWebKeySet.maximumByteCount)
        update.keys = try keys(answer.body, connection.base + path)
        let index = try await connection.send("GET", "/status-lists", maximumByteCount: 1 << 18)
        guard let root = try? JSONDocument(parsing: index.body, maximumByteCount: 1 << 18, maximumDepth: 3).root,
            let names = root["status_lists"]?.elements, names.count <= BundledIssuer.maximumListCount
        else { throw Failure(.unreadable, "The verifier's names of status lists cannot be read.") }
        var lists: [IssuerUpdate.List] = []
        for node in names {
            guard let list = node.string, list.hasPrefix(update.name + "/status-lists/") else {
                throw Failure(.refused, "The verifier names a status list that is not of the issuer \(update.name).")
            }
            let answer = try await connection.send(
                "GET", String(list.dropFirst(update.name.count)),
                maximumByteCount: UnverifiedStatusListToken.maximumByteCount)
            lists.append(.init(origin: list, token: answer.body, name: list))
        }
        update.lists = lists
    }

    private static func keys(_ bytes: [UInt8], _ origin: String) throws(Failure) -> JSONWebKeySet {
        do {
            return try JSONWebKeySet(parsing: bytes)
        } catch {
            throw Failure(.unreadable, "\(origin): \(error).")
        }
    }
}
