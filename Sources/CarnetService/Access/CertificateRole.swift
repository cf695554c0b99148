import Cryptography

/// Which role a client's certificate has: a rule such as `admin=email:alice@example.org`.
///
/// A name matches when it is the same, byte for byte. There are no patterns: whoever can have a certificate issued for some name could
/// meet one.
public struct CertificateRole: Sendable, Hashable {
    /// The role, one of operators'.
    public let role: Role
    /// The name that the certificate has to have, with its kind: `email:`, `dns:`, `uri:`, or `subject:` and the whole subject in the form
    /// of RFC 2253.
    public let identity: String

    /// Reads a rule; `nil` for what is none.
    public init?(_ text: String) {
        guard let sign = text.firstIndex(of: "="), let role = Role(named: String(text[..<sign])),
            role.operatorRank != nil
        else { return nil }
        let identity = text[text.index(after: sign)...]
        guard identity.utf8.count <= 512,
            let kind = ["email:", "dns:", "uri:", "subject:"].first(where: identity.hasPrefix),
            identity.utf8.count > kind.utf8.count, identity.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        self.role = role
        self.identity = String(identity)
    }

    /// All names of a certificate, as rules write them.
    static func identities(of certificate: Certificate) -> [String] {
        certificate.alternativeNames.map { name in
            switch name {
            case .email(let text): "email:" + text
            case .dns(let text): "dns:" + text
            case .uri(let text): "uri:" + text
            }
        } + [certificate.subject].filter { !$0.isEmpty }.map { "subject:" + $0 }
    }
}
