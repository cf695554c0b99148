/// What to answer to a request that was not accepted (RFC 9449 §7.1, RFC 6750 §3).
///
/// The header fields say the error's class and the refusal's code: nothing that the caller wrote is in them. The sentence for people is in
/// ``refusal``.
public struct RequestRefusal: Error, Sendable, CustomStringConvertible {
    /// The HTTP status: 401; 400 for a request that could be read in two ways; 429 when a key has too many fresh proofs.
    public let status: Int
    /// Names and values of the header fields to send: `WWW-Authenticate`, and `DPoP-Nonce` or `Retry-After` where they help.
    public let headerFields: [(name: String, value: String)]
    public let refusal: Refusal

    /// The refusal's sentences.
    public var description: String { refusal.description }

    init(status: Int = 401, error: String?, _ refusal: Refusal, retryAfter: Int64? = nil) {
        self.status = status
        self.refusal = refusal
        var challenge = "DPoP "
        if let error { challenge += "error=\"\(error)\", error_description=\"\(refusal.code.rawValue)\", " }
        challenge += "algs=\"ES256\""
        var fields = [(name: "WWW-Authenticate", value: challenge)]
        if let nonce = refusal.freshNonce { fields.append((name: "DPoP-Nonce", value: nonce)) }
        if let retryAfter { fields.append((name: "Retry-After", value: String(retryAfter))) }
        headerFields = fields
    }

    /// The answer to a passport that was refused.
    static func ofPassport(_ refusal: Refusal) -> Self { Self(error: "invalid_token", refusal) }

    /// The answer to a proof that was refused.
    static func ofProof(_ refusal: Refusal, window: Int64) -> Self {
        switch refusal.code {
        case .proofNonce where refusal.freshNonce != nil: Self(error: "use_dpop_nonce", refusal)
        case .proofLimit: Self(status: 429, error: nil, refusal, retryAfter: 2 * window)
        case .expired: Self(error: "invalid_token", refusal)
        default: Self(error: "invalid_dpop_proof", refusal)
        }
    }
}
