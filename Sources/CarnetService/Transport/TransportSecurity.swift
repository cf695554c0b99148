/// How bytes travel between callers and the service.
public enum TransportSecurity: Sendable, Hashable {
    /// TLS 1.2 or newer with a certificate chain and its private key, both PEM files.
    case tls(certificateFile: String, privateKeyFile: String)
    /// No protection. Only on loopback.
    case plainHTTP

    /// Checks that the combination is allowed, and reads the files.
    ///
    /// - Returns: The certificate to show, or `nil` for plain HTTP.
    public func certificate(for address: ListenAddress) throws(ServiceStartError) -> ServerCertificate? {
        switch self {
        case .plainHTTP:
            guard address.isLoopback else { throw .plainHTTPBeyondLoopback(address) }
            return nil
        case .tls(let certificateFile, let privateKeyFile):
            return try ServerCertificate(certificateFile: certificateFile, privateKeyFile: privateKeyFile)
        }
    }
}
