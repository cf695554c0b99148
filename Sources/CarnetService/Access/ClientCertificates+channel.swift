import Cryptography
import NIOCore
import NIOSSL

extension ClientCertificates {
    /// The operator at the other end of a connection; `nil` when it showed no certificate.
    func principal(on channel: any Channel) async throws -> Principal? {
        // A connection without TLS has no certificate.
        guard let shown = try? await channel.nioSSL_peerCertificate().get() else { return nil }
        guard let certificate = try? Certificate(der: shown.toDERBytes()) else {
            throw Problem.certificateRefused("it cannot be read")
        }
        return try principal(showing: certificate)
    }

    /// Asks clients for a certificate, which they need not have.
    static func ask(_ configuration: inout TLSConfiguration) {
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .certificates([])
    }
}
