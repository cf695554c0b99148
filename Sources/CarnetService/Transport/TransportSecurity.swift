package import NIOSSL

/// How bytes travel between callers and the service.
public enum TransportSecurity: Sendable, Hashable {
    /// TLS 1.2 or newer with a certificate chain and its private key, both PEM files.
    case tls(certificateFile: String, privateKeyFile: String)
    /// No protection. Only on loopback.
    case plainHTTP

    /// Checks that the combination is allowed, and reads the files.
    ///
    /// - Returns: The TLS configuration, or `nil` for plain HTTP.
    package func configuration(for address: ListenAddress) throws(ServiceStartError) -> TLSConfiguration? {
        switch self {
        case .plainHTTP:
            guard address.isLoopback else { throw .plainHTTPBeyondLoopback(address) }
            return nil
        case .tls(let certificateFile, let privateKeyFile):
            try PrivateFile.check(privateKeyFile, mayReadGroup: true)
            do {
                let chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
                guard !chain.isEmpty else {
                    throw ServiceStartError.unreadable(certificateFile, "no certificate in it")
                }
                let key = try NIOSSLPrivateKey(file: privateKeyFile, format: .pem)
                var configuration = TLSConfiguration.makeServerConfiguration(
                    certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
                configuration.minimumTLSVersion = .tlsv12
                _ = try NIOSSLContext(configuration: configuration)
                return configuration
            } catch let error as ServiceStartError {
                throw error
            } catch {
                throw .unreadable(
                    "\(certificateFile) with \(privateKeyFile)",
                    "they are not a PEM certificate chain and the PEM private key of its first certificate (\(error))")
            }
        }
    }
}
