import CLibPQ
import Foundation

/// A database of a PostgreSQL server, as libpq's connection URI names it: `postgresql://user:password@host:port/database?sslmode=…`.
///
/// What the URI leaves out comes from libpq's usual places: `PGPASSFILE`, `PGSSLROOTCERT` and the like. Source: PostgreSQL
/// documentation, chapter 34.1.1, "Connection Strings".
public struct PostgreSQLAddress: Sendable, Equatable, CustomStringConvertible {
    static let schemes = ["postgresql://", "postgres://"]
    private static let maximumByteCount = 4096

    /// The URI with everything that it says. Never printed.
    let uri: String
    /// What it says of the transport, or what holds when it says nothing.
    let defaultSSLMode: String?
    /// User, hosts, ports and database, without the password.
    public let description: String
    /// Whether the URI holds a password, of the user or of a private key.
    public let holdsPassword: Bool

    /// Reads a URI.
    ///
    /// - Throws: ``StorageError/Code/refused``, with a reason that never repeats the URI.
    public init(parsing uri: String) throws(StorageError) {
        guard Self.schemes.contains(where: uri.hasPrefix), uri.utf8.count <= Self.maximumByteCount,
            !uri.utf8.contains(0), let options = Self.options(of: uri)
        else { throw StorageError(.refused, "the database's address is not a connection URI that libpq can read") }
        let hosts = (options["host"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        // An "@" that stands in a password as it is would make the rest of the password a part of the host's name.
        guard !hosts.contains(where: { $0.contains("@") }), options["dbname"]?.contains("@") != true else {
            throw StorageError(.refused, "an @ in the password of the database's address is written as %40")
        }
        guard let database = options["dbname"], !database.isEmpty else {
            throw StorageError(.refused, "the database's address names no database: postgresql://USER@HOST/DATABASE")
        }
        self.uri = uri
        let ports = (options["port"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let places = hosts.enumerated().map { index, host in
            let port = index < ports.count ? ports[index] : ports.count == 1 ? ports[0] : ""
            return port.isEmpty ? host : host + ":" + port
        }
        description =
            "postgresql://" + (options["user"].map { $0 + "@" } ?? "") + places.joined(separator: ",") + "/" + database
        holdsPassword = options["password"] != nil || options["sslpassword"] != nil
        let isLocal = options["hostaddr"] == nil && hosts.allSatisfy(Self.isLocal)
        let isSaid = options["sslmode"] != nil || ProcessInfo.processInfo.environment["PGSSLMODE"] != nil
        defaultSSLMode = isLocal || isSaid ? nil : "verify-full"
    }

    /// Whether only this machine can listen to the connection. Nothing is libpq's word for its own choice: `PGHOST`, or a socket.
    private static func isLocal(_ host: String) -> Bool {
        let host = host.isEmpty ? ProcessInfo.processInfo.environment["PGHOST"] ?? "" : host
        return host.isEmpty || host.hasPrefix("/") || ["localhost", "127.0.0.1", "::1"].contains(host)
    }

    private static func options(of uri: String) -> [String: String]? {
        guard let first = PQconninfoParse(uri, nil) else { return nil }
        defer { PQconninfoFree(first) }
        var options: [String: String] = [:]
        var option = first
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return options
    }
}
