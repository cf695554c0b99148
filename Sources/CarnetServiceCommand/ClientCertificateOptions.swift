package import ArgumentParser
package import CarnetRecords
import CarnetService

/// Operators by the certificates of their TLS clients, beside those with API tokens.
package struct ClientCertificateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The authorities of operators' TLS certificates, PEM. Nobody has to show one.", valueName: "file"))
    package var clientCa: String?

    @Option(
        help: ArgumentHelp(
            "Who has which role: viewer, policy-author (or author) or admin, =, and email:, dns:, uri: or subject: with the name. Repeat it for more.",
            valueName: "role=name"))
    package var clientRole: [String] = []

    package init() {}

    /// The settings; `nil` for API tokens alone.
    package var settings: ClientCertificateSettings? {
        get throws {
            let roles = try clientRole.map { text in
                guard let role = CertificateRole(text) else {
                    throw ValidationError("--client-role \(text) is not a rule such as admin=email:alice@example.org")
                }
                return role
            }
            guard let clientCa else {
                guard roles.isEmpty else { throw ValidationError("--client-role needs --client-ca.") }
                return nil
            }
            return ClientCertificateSettings(authorityFile: clientCa, roles: roles)
        }
    }
}
