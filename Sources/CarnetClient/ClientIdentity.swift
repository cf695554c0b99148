internal import NIOSSL

/// A certificate with its key, which a client shows to a verifier that asks for one: two PEM files.
public struct ClientIdentity: Sendable, Hashable {
    /// The certificate, with intermediates behind it.
    public let certificateFile: String
    /// The private key, not encrypted.
    public let privateKeyFile: String

    /// Two files, which are read when a connection is made.
    public init(certificateFile: String, privateKeyFile: String) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
    }

    func show(in configuration: inout TLSConfiguration) throws(ServiceConnection.Failure) {
        do {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificateFile).map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: privateKeyFile, format: .pem))
            do {
                _ = try NIOSSLContext(configuration: configuration)
            } catch NIOSSLError.failedToLoadPrivateKey {
                throw ServiceConnection.Failure(
                    code: .usage, status: 0, problem: nil,
                    description:
                        "\(privateKeyFile) is not the private key of the first certificate in \(certificateFile). Give the two that belong together."
                )
            }
        } catch let failure as ServiceConnection.Failure {
            throw failure
        } catch {
            throw ServiceConnection.Failure(
                code: .usage, status: 0, problem: nil,
                description:
                    "\(certificateFile) and \(privateKeyFile) are not a certificate and its private key, both PEM.")
        }
    }
}
