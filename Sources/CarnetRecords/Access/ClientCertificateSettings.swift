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

    /// What is wrong with them beside the rest, in words that follow the option's name; `nil` when nothing is.
    package func fault(_ security: TransportSecurity) -> String? {
        guard security != .plainHTTP else {
            return "without TLS nobody shows a certificate; give --tls-certificate and --tls-private-key"
        }
        return roles.isEmpty ? "nobody would have a role; give --client-role" : nil
    }

    /// Reads the file.
    package func open(_ clock: WallClock) throws(ServiceStartError) -> ClientCertificates {
        try ClientCertificates(authorityFile: authorityFile, roles: roles, now: { clock.now })
    }
}
