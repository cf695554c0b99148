public import CarnetRelyingParty

extension PassportVerifier {
    /// Checks that a passport came from the client whose TLS connection it came over (RFC 8705 §3).
    ///
    /// - Parameters:
    ///   - result: The passport that arrived over this connection.
    ///   - peer: The connection's peer. One that has shown no certificate, or not proven its key yet, proves nothing.
    ///   - now: Seconds since 1970.
    /// - Throws: ``CarnetRelyingParty/Refusal``.
    public func prove(_ result: VerifiedResult, by peer: TLSPeer, at now: Int64) throws(Refusal) -> ProvenResult {
        try prove(result, byCertificate: peer.certificate ?? [], at: now)
    }
}
