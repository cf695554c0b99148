import Foundation
import NIOSSL

/// Where an API server is, who vouches for it, and with what one shows oneself.
package struct ClusterConfiguration: Sendable, Hashable {
    /// The server's URL without a slash at the end, as `https://10.96.0.1:443`.
    package var server: String
    /// The authorities of the server's certificate.
    package var authority: Authority
    /// What is shown to the server.
    package var credential: Credential

    /// Who vouches for the server.
    package enum Authority: Sendable, Hashable {
        case system
        /// A PEM file.
        case file(String)
        /// PEM.
        case data([UInt8])
    }

    /// What is shown to the server.
    package enum Credential: Sendable, Hashable {
        case none
        /// A bearer token.
        case token(String)
        /// A file with a bearer token, read for each request: the kubelet renews it in its place.
        case tokenFile(String)
        /// A client certificate with its key.
        case certificate(certificate: PEMSource, key: PEMSource)
    }

    /// Where PEM comes from.
    package enum PEMSource: Sendable, Hashable {
        case file(String)
        case data([UInt8])
    }

    /// Why a configuration cannot be used; a sentence for the operator. It holds no secret.
    package struct Unusable: Error, Hashable, CustomStringConvertible {
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    /// The server's host, a name or an address without brackets.
    package var host: String {
        (URLComponents(string: server)?.host ?? "").trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    }

    /// A configuration.
    ///
    /// - Throws: ``Unusable`` for a URL that is not https, unless it is plain HTTP to loopback, and for a credential over plain HTTP.
    package init(
        server: String, authority: Authority, credential: Credential
    ) throws(Unusable) {
        var url = server
        while url.hasSuffix("/") { url.removeLast() }
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty, parts.user == nil,
            parts.password == nil, parts.query == nil, parts.fragment == nil
        else { throw Unusable("\(server) is no URL of an API server, such as https://10.96.0.1:443") }
        guard parts.scheme == "https" || (parts.scheme == "http" && Self.isLoopback(host) && credential == .none) else {
            throw Unusable(
                "\(server) is not https: an API server is asked over TLS. Plain HTTP is for a proxy on loopback, without a credential."
            )
        }
        self.server = url
        self.authority = authority
        self.credential = credential
    }

    private static func isLoopback(_ host: String) -> Bool {
        ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host)
    }

    /// How TLS is spoken.
    func tls() throws(Unusable) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        switch authority {
        case .system: break
        case .file(let path):
            tls.trustRoots = .certificates(try Self.certificates(.file(path), "the authorities"))
        case .data(let bytes):
            tls.trustRoots = .certificates(try Self.certificates(.data(bytes), "the authorities"))
        }
        if case .certificate(let certificate, let key) = credential {
            tls.certificateChain = try Self.certificates(certificate, "the client's certificate").map {
                .certificate($0)
            }
            do {
                tls.privateKey = .privateKey(
                    try NIOSSLPrivateKey(bytes: try Self.bytes(key, "the client's key"), format: .pem))
            } catch let error as Unusable {
                throw error
            } catch {
                throw Unusable("The client's key is no private key in PEM.")
            }
        }
        return tls
    }

    private static func certificates(_ source: PEMSource, _ what: String) throws(Unusable) -> [NIOSSLCertificate] {
        let bytes = try bytes(source, what)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw Unusable("In \(what) of the API server's configuration is no certificate in PEM.")
        }
        return certificates
    }

    private static func bytes(_ source: PEMSource, _ what: String) throws(Unusable) -> [UInt8] {
        switch source {
        case .data(let bytes): return bytes
        case .file(let path):
            guard let bytes = SmallFile.read(path, upTo: 1 << 20) else {
                throw Unusable("\(path), the file of \(what), cannot be read, or is larger than a mebibyte.")
            }
            return bytes
        }
    }
}

extension ClusterConfiguration.Credential {
    /// The bearer token to send now; `nil` where there is none to send.
    func token() throws(ClusterConfiguration.Unusable) -> String? {
        switch self {
        case .none, .certificate: return nil
        case .token(let text): return text
        case .tokenFile(let path):
            guard let bytes = SmallFile.read(path, upTo: 1 << 16) else {
                throw ClusterConfiguration.Unusable("The token's file \(path) cannot be read.")
            }
            let text = String(decoding: bytes.filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
            guard !text.isEmpty else { throw ClusterConfiguration.Unusable("The token's file \(path) is empty.") }
            return text
        }
    }
}

/// Files of a bounded size.
enum SmallFile {
    /// The bytes; `nil` when there are none to be read, or more than `maximumByteCount`.
    static func read(_ path: String, upTo maximumByteCount: Int) -> [UInt8]? {
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: maximumByteCount + 1), data.count <= maximumByteCount
        else { return nil }
        return Array(data)
    }
}
