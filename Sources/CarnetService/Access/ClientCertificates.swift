public import Cryptography
import Foundation
import Synchronization

/// Operators who prove themselves with a certificate of their TLS client instead of an API token.
///
/// The handshake proves that the client holds the certificate's key, and decides nothing else: who is let in is decided at each request, by
/// the authorities and the time of that moment. So an authority that was taken out of the file ends open connections' rights too.
public final class ClientCertificates: Sendable {
    private let file: String
    private let roles: [CertificateRole]
    private let now: @Sendable () -> Int64
    private let state: Mutex<State>

    private struct State {
        var bytes: [UInt8]
        var authorities: [Certificate]
        /// The file that was refused last, so that it is told of once.
        var refused: String?
    }

    /// Reads a PEM file with the certificates of the authorities that issue to operators; intermediates may stand in it.
    ///
    /// - Parameters:
    ///   - roles: The first rule that a certificate meets gives its role.
    ///   - now: The time in seconds since 1970.
    /// - Throws: ``ServiceStartError`` when the file cannot be used.
    public init(
        authorityFile: String, roles: [CertificateRole], now: @escaping @Sendable () -> Int64
    ) throws(ServiceStartError) {
        file = authorityFile
        self.roles = roles
        self.now = now
        let (bytes, authorities) = try Self.read(authorityFile)
        state = Mutex(State(bytes: bytes, authorities: authorities))
    }

    /// Looks at the file, and takes what is in it if it has changed and can be used; else the last good one stays.
    public func look() -> ServerCertificate.Look {
        do {
            let (bytes, authorities) = try Self.read(file)
            return state.withLock { state in
                state.refused = nil
                guard state.bytes != bytes else { return .same }
                state = State(bytes: bytes, authorities: authorities)
                return .renewed(expiresAt: now())
            }
        } catch {
            return state.withLock { state in
                defer { state.refused = error.description }
                return state.refused == error.description ? .same : .refused(error.description)
            }
        }
    }

    /// The operator whom a certificate shows.
    ///
    /// - Parameter certificate: The client's own, whose key the handshake has proved.
    /// - Throws: ``Problem``: 401 for a certificate that is not good for this, 403 for one whose names have no role here.
    public func principal(showing certificate: Certificate) throws(Problem) -> Principal {
        let authorities = state.withLock(\.authorities)
        guard !certificate.isAuthority else { throw .certificateRefused("it is an authority's") }
        guard certificate.extendedKeyUsages.contains(Self.clientAuthentication) else {
            throw .certificateRefused("it is not for the authentication of clients (extended key usage clientAuth)")
        }
        if let usage = certificate.keyUsage, !usage.contains(.digitalSignature) {
            throw .certificateRefused("its key is not for signatures")
        }
        do {
            try CertificateChain.verify(certificate, intermediates: [], anchors: authorities, at: now())
        } catch {
            throw .certificateRefused(error.reason)
        }
        let identities = CertificateRole.identities(of: certificate)
        guard let rule = roles.first(where: { identities.contains($0.identity) }) else { throw .certificateUnknown }
        return Principal(id: "certificate:" + rule.identity, name: rule.identity, role: rule.role)
    }

    /// id-kp-clientAuth (RFC 5280 §4.2.1.12).
    private static let clientAuthentication = "1.3.6.1.5.5.7.3.2"

    private static func read(_ path: String) throws(ServiceStartError) -> ([UInt8], [Certificate]) {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: 1 << 20) else {
            throw .unreadable(path, "it cannot be read, or is empty")
        }
        do {
            let authorities = try Certificate.parsePEM(Array(data))
            guard !authorities.isEmpty, authorities.allSatisfy(\.isAuthority) else {
                throw ServiceStartError.unreadable(path, "it has to hold certificates of authorities, and no other")
            }
            return (Array(data), authorities)
        } catch let error as ServiceStartError {
            throw error
        } catch {
            throw .unreadable(path, "\(error)")
        }
    }
}
