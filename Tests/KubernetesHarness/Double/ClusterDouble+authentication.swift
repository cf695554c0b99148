import Synchronization
import Cryptography
import Hummingbird
import NIOCore
import NIOSSL

extension ClusterDouble {
    /// Who sends a request: the holder of a token, else whoever a client certificate names, else nobody.
    ///
    /// - Throws: ``StatusFailure`` with 401 for a credential that is shown and is not good.
    func authenticate(_ request: Request, _ context: ClusterContext) async throws -> Caller {
        if let field = request.headers[.authorization] {
            guard field.hasPrefix("Bearer "),
                let caller = tokens.withLock({ $0[String(field.dropFirst("Bearer ".count))] })
            else { throw StatusFailure.unauthorized }
            return caller
        }
        guard let shown = try? await context.channel.nioSSL_peerCertificate().get() else { return .anonymous }
        do {
            let certificate = try Certificate(der: shown.toDERBytes())
            // Whether a certificate is still good is a question to this machine's clock, whatever the test's says.
            try CertificateChain.verify(
                certificate, intermediates: [], anchors: [authority.anchor], at: ClusterDouble.Options().now())
            guard certificate.extendedKeyUsages.contains(Self.clientAuthentication) else {
                throw StatusFailure.unauthorized
            }
            let subject = try CertificateSubject(der: certificate.der)
            return Caller(name: subject.commonName, groups: subject.organizations + ["system:authenticated"])
        } catch {
            throw StatusFailure.unauthorized
        }
    }

    /// id-kp-clientAuth (RFC 5280 §4.2.1.12).
    private static var clientAuthentication: String { "1.3.6.1.5.5.7.3.2" }
}
