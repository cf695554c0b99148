import Foundation
import Yams

/// A kubeconfig: clusters, users, and contexts that bring them together. Source: Kubernetes documentation, `kubeconfig` v1.
///
/// Read are server, authority, tokens, and client certificates. A program that makes credentials (`exec`, `auth-provider`), a password,
/// impersonation and `insecure-skip-tls-verify` are refused: a gate that nobody authenticates to is none.
package struct Kubeconfig: Sendable {
    private struct Document: Decodable {
        struct Named<Value: Decodable>: Decodable {
            let name: String
            let value: Value?

            struct Key: CodingKey {
                let stringValue: String
                var intValue: Int? { nil }
                init(stringValue: String) { self.stringValue = stringValue }
                init?(intValue: Int) { nil }
            }

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Key.self)
                name = try container.decode(String.self, forKey: Key(stringValue: "name"))
                let key = container.allKeys.first { ["cluster", "user", "context"].contains($0.stringValue) }
                value = try key.flatMap { try container.decodeIfPresent(Value.self, forKey: $0) }
            }
        }

        struct Cluster: Decodable {
            let server: String?
            let certificateAuthority: String?
            let certificateAuthorityData: String?
            let insecureSkipTLSVerify: Bool?
            let serverName: String?
            let proxyURL: String?

            enum CodingKeys: String, CodingKey {
                case server
                case certificateAuthority = "certificate-authority"
                case certificateAuthorityData = "certificate-authority-data"
                case insecureSkipTLSVerify = "insecure-skip-tls-verify"
                case serverName = "tls-server-name"
                case proxyURL = "proxy-url"
            }
        }

        struct User: Decodable {
            struct Present: Decodable { init(from decoder: any Decoder) throws {} }
            let token: String?
            let tokenFile: String?
            let clientCertificate: String?
            let clientCertificateData: String?
            let clientKey: String?
            let clientKeyData: String?
            let username: String?
            let impersonated: String?
            let exec: Present?
            let authProvider: Present?

            enum CodingKeys: String, CodingKey {
                case token, tokenFile, username, exec
                case clientCertificate = "client-certificate"
                case clientCertificateData = "client-certificate-data"
                case clientKey = "client-key"
                case clientKeyData = "client-key-data"
                case impersonated = "as"
                case authProvider = "auth-provider"
            }
        }

        struct Context: Decodable {
            let cluster: String
            let user: String?
            let namespace: String?
        }

        let clusters: [Named<Cluster>]?
        let users: [Named<User>]?
        let contexts: [Named<Context>]?
        let currentContext: String?

        enum CodingKeys: String, CodingKey {
            case clusters, users, contexts
            case currentContext = "current-context"
        }
    }

    /// The context's namespace, where it names one.
    package let namespace: String?
    /// The configuration of the context.
    package let configuration: ClusterConfiguration

    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// - Parameter context: The context to take, if not the file's current one.
    package init(file: String, context: String? = nil) throws(ClusterConfiguration.Unusable) {
        guard let bytes = SmallFile.read(file, upTo: 1 << 20) else {
            throw ClusterConfiguration.Unusable("The kubeconfig \(file) cannot be read, or is larger than a mebibyte.")
        }
        do throws(ClusterConfiguration.Unusable) {
            try self.init(
                parsing: String(decoding: bytes, as: UTF8.self),
                folder: URL(filePath: file).deletingLastPathComponent().path(percentEncoded: false), context: context)
        } catch {
            throw ClusterConfiguration.Unusable("The kubeconfig \(file): \(error.description)")
        }
    }

    /// Reads the text of one.
    package init(parsing text: String, folder: String, context: String? = nil) throws(ClusterConfiguration.Unusable) {
        let document: Document
        do { document = try YAMLDecoder().decode(Document.self, from: text) } catch {
            throw ClusterConfiguration.Unusable("it is no kubeconfig: it needs clusters, users and contexts.")
        }
        guard let name = context ?? document.currentContext, !name.isEmpty else {
            throw ClusterConfiguration.Unusable("it names no current-context: name one.")
        }
        guard let chosen = document.contexts?.first(where: { $0.name == name })?.value else {
            throw ClusterConfiguration.Unusable("there is no context \(name) in it.")
        }
        guard let cluster = document.clusters?.first(where: { $0.name == chosen.cluster })?.value,
            let server = cluster.server
        else { throw ClusterConfiguration.Unusable("there is no cluster \(chosen.cluster) with a server in it.") }
        guard cluster.insecureSkipTLSVerify != true else {
            throw ClusterConfiguration.Unusable(
                "insecure-skip-tls-verify would let anybody be the API server. Give certificate-authority-data in its place."
            )
        }
        guard cluster.proxyURL == nil else {
            throw ClusterConfiguration.Unusable("proxy-url is not used here: give a server that can be reached.")
        }
        guard cluster.serverName == nil else {
            throw ClusterConfiguration.Unusable(
                "tls-server-name is not used here: give a server by a name or address that its certificate has.")
        }
        let user = chosen.user.flatMap { user in document.users?.first { $0.name == user }?.value }
        if let user = chosen.user, !user.isEmpty, document.users?.contains(where: { $0.name == user }) != true {
            throw ClusterConfiguration.Unusable("there is no user \(user) in it.")
        }
        namespace = chosen.namespace
        let authority: ClusterConfiguration.Authority
        switch (cluster.certificateAuthorityData, cluster.certificateAuthority) {
        case (let data?, _): authority = .data(try Self.bytes(data, "certificate-authority-data"))
        case (nil, let file?): authority = .file(Self.path(file, folder))
        default: authority = .system
        }
        configuration = try ClusterConfiguration(
            server: server, authority: authority, credential: try Self.credential(user, folder))
    }

    private static func credential(
        _ user: Document.User?, _ folder: String
    ) throws(ClusterConfiguration.Unusable) -> ClusterConfiguration.Credential {
        guard let user else { return .none }
        guard user.exec == nil, user.authProvider == nil else {
            throw ClusterConfiguration.Unusable(
                "its user gets a credential by a program (exec, auth-provider), which is not run here. Give a token, a tokenFile or a client certificate."
            )
        }
        guard user.username == nil, user.impersonated == nil else {
            throw ClusterConfiguration.Unusable(
                "its user has a password, or acts as another: neither is used here. Give a token, a tokenFile or a client certificate."
            )
        }
        if let token = user.token, !token.isEmpty { return .token(token) }
        if let file = user.tokenFile, !file.isEmpty { return .tokenFile(path(file, folder)) }
        let certificate = try pem(user.clientCertificateData, user.clientCertificate, folder, "client-certificate-data")
        let key = try pem(user.clientKeyData, user.clientKey, folder, "client-key-data")
        switch (certificate, key) {
        case (nil, nil): return .none
        case (let certificate?, let key?): return .certificate(certificate: certificate, key: key)
        default:
            throw ClusterConfiguration.Unusable(
                "its user has a client certificate without a key, or a key without one.")
        }
    }

    private static func pem(
        _ data: String?, _ file: String?, _ folder: String, _ name: String
    ) throws(ClusterConfiguration.Unusable) -> ClusterConfiguration.PEMSource? {
        if let data { return .data(try bytes(data, name)) }
        return file.map { .file(path($0, folder)) }
    }

    private static func bytes(_ text: String, _ name: String) throws(ClusterConfiguration.Unusable) -> [UInt8] {
        guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters), !data.isEmpty else {
            throw ClusterConfiguration.Unusable("\(name) is no base64.")
        }
        return Array(data)
    }

    private static func path(_ file: String, _ folder: String) -> String {
        file.hasPrefix("/") ? file : (folder.hasSuffix("/") ? folder : folder + "/") + file
    }
}
