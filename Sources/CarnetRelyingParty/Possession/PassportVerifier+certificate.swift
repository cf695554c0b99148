internal import CarnetResult
internal import Cryptography
internal import StrictEncoding

extension PassportVerifier {
    /// Checks that the holder of the passport's key holds one end of a TLS connection (RFC 8705 §3).
    ///
    /// The TLS handshake proved that the client holds the certificate's key; this checks that it is the passport's: the thumbprint
    /// (RFC 7638) of the certified key is `cnf.jkt`, and where `cnf` has `x5t#S256`, that is the certificate's own SHA-256. Nothing else
    /// in the certificate counts, neither its names nor its dates nor who signed it.
    ///
    /// - Parameters:
    ///   - certificate: DER, as the handshake of the connection over which the passport came left it; never from a header field.
    ///   - now: Seconds since 1970.
    public func prove(
        _ result: VerifiedResult, byCertificate certificate: [UInt8], at now: Int64
    ) throws(Refusal) -> ProvenResult {
        let next = "Connect with a client certificate for the key to which the passport is bound"
        try requireLife(of: result, at: now, nextStep: next)
        let hash = HashAlgorithm.sha256.hash(certificate)
        var isOwn = !result.keyThumbprint.isEmpty || result.certificateHash != nil
        if let bound = result.certificateHash { isOwn = constantTimeEqual(bound, hash) }
        if !result.keyThumbprint.isEmpty {
            do {
                let thumbprint = try JSONWebKey(Certificate(der: certificate).publicKey()).thumbprint
                let isOwnKey = constantTimeEqual(Array(thumbprint.utf8), Array(result.keyThumbprint.utf8))
                isOwn = isOwn && isOwnKey
            } catch {
                throw Refusal(.proofKey, "The certificate's key cannot be used: \(error)", nextStep: next)
            }
        }
        guard isOwn else {
            throw Refusal(.proofKey, "The passport is bound to another key than the certificate's", nextStep: next)
        }
        return ProvenResult(result: result, manner: .certificate, proofID: Base64URL.encode(hash))
    }

    /// A passport that was checked a while ago may have expired since.
    func requireLife(of result: VerifiedResult, at now: Int64, nextStep: String) throws(Refusal) {
        guard Self.bounded(now) < result.expiresAt + expectations.clockSkew else {
            throw Refusal(.expired, "The passport expired meanwhile", nextStep: nextStep)
        }
    }
}
