internal import NIOCore
public import NIOSSL
internal import Synchronization

/// The client of one TLS connection: asks it for a certificate, accepts any, and says which one it was.
///
/// A certificate that nobody vouches for says nothing by itself. It comes to mean something when a passport that is bound to its key
/// arrives over the same connection (``CarnetRelyingParty/PassportVerifier/prove(_:by:at:)``). Make one value for each connection.
public final class TLSPeer: Sendable {
    private enum State {
        case nothing
        /// Shown, and its key not proven yet: the handshake goes on.
        case shown([UInt8])
        case proven([UInt8])
    }

    private let state = Mutex(State.nothing)

    /// The longest chain that is looked at.
    static let maximumChainLength = 8
    /// The longest certificate, DER, in bytes.
    static let maximumCertificateByteCount = 16_384

    /// A peer that has shown nothing yet.
    public init() {}

    /// The client's certificate, DER, once the handshake has proven that the client holds its key; `nil` before, after the end of the
    /// connection, and where a session was resumed, in which nothing is shown.
    public var certificate: [UInt8]? {
        state.withLock { state in
            if case .proven(let der) = state { return der }
            return nil
        }
    }

    /// The handlers of the connection: TLS, and behind it the one that waits for the end of the handshake. Add them first, in this order.
    ///
    /// - Parameter context: Of a configuration after ``NIOSSL/TLSConfiguration/demandClientCertificates()``.
    public func handlers(_ context: NIOSSLContext) -> (tls: NIOSSLServerHandler, observer: TLSPeerObserver) {
        let tls = NIOSSLServerHandler(context: context) { [self] chain, promise in
            promise.succeed(look(at: chain) ? .certificateVerified : .failed)
        }
        return (tls, TLSPeerObserver(self))
    }

    /// Keeps the first certificate; the others of a chain mean nothing here.
    private func look(at chain: [NIOSSLCertificate]) -> Bool {
        guard let leaf = chain.first, chain.count <= Self.maximumChainLength, let der = try? leaf.toDERBytes(),
            der.count <= Self.maximumCertificateByteCount
        else { return false }
        state.withLock { $0 = .shown(der) }
        return true
    }

    func handshakeEnded() {
        state.withLock { state in
            if case .shown(let der) = state { state = .proven(der) }
        }
    }

    func connectionEnded() { state.withLock { $0 = .nothing } }
}

extension TLSConfiguration {
    /// Demands a certificate of each client, and leaves it to ``TLSPeer`` what it is worth: no authority is trusted.
    public mutating func demandClientCertificates() {
        certificateVerification = .noHostnameVerification
        trustRoots = .certificates([])
        additionalTrustRoots = []
        sendCANameList = false
    }
}
