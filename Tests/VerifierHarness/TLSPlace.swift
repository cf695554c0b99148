import CarnetService
import CarnetVerifier
import Fixtures

/// Where a verifier serves TLS on loopback, for those who find its keys by its issuer: both have the same URL.
package struct TLSPlace: Sendable {
    /// `https://127.0.0.1:PORT`.
    package let url: String
    private let address: ListenAddress, certificateFile: String, privateKeyFile: String

    /// A place that nobody uses.
    ///
    /// - Parameters:
    ///   - certificateFile: A certificate for 127.0.0.1, PEM.
    ///   - privateKeyFile: Its key, PEM, which only its owner may read.
    package init(certificateFile: String, privateKeyFile: String) throws {
        let text = "127.0.0.1:\(try FreePort.take())"
        guard let address = ListenAddress(text) else { throw VerifierUnderTest.Unexpected(answer: text) }
        self.address = address
        url = "https://" + text
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
    }

    func apply(to configuration: inout VerifierConfiguration) {
        configuration.issuer = url
        configuration.address = address
        configuration.security = .tls(certificateFile: certificateFile, privateKeyFile: privateKeyFile)
    }
}
