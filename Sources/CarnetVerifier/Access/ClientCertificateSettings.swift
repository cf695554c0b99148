package import CarnetService

/// Operators who come with certificates of their TLS clients.
package struct ClientCertificateSettings: Sendable, Hashable {
    /// A PEM file of the authorities that issue them.
    package var authorityFile: String
    /// Who has which role; the first rule that a certificate meets counts.
    package var roles: [CertificateRole]

    /// Settings.
    package init(authorityFile: String, roles: [CertificateRole]) {
        self.authorityFile = authorityFile
        self.roles = roles
    }

    /// Checks them against the rest.
    func check(_ security: TransportSecurity) throws(VerifierConfigurationError) {
        guard security != .plainHTTP else {
            throw .clientCertificates(
                "without TLS nobody shows a certificate; give --tls-certificate and --tls-private-key")
        }
        guard !roles.isEmpty else { throw .clientCertificates("nobody would have a role; give --client-role") }
    }

    /// Reads the file.
    func open(_ clock: WallClock) throws(ServiceStartError) -> ClientCertificates {
        try ClientCertificates(authorityFile: authorityFile, roles: roles, now: { clock.now })
    }
}
