public import CarnetResult

/// A checked passport, shown by the holder of its key.
public struct ProvenResult: Sendable {
    public let result: VerifiedResult
    /// How possession was proven.
    public let manner: Manner
    /// What tells this proof from others: a DPoP proof's `jti`; the challenge, or the SHA-256 of the certificate, in base64url.
    public let proofID: String

    /// The ways to prove possession.
    public enum Manner: Sendable, Hashable {
        /// A DPoP proof for one request (RFC 9449).
        case request(ProvenRequest)
        /// The client certificate of a TLS connection (RFC 8705), for as long as that lasts.
        case certificate
        /// The answer to one challenge.
        case challenge
    }

    /// The request that was proven, where one was.
    public var request: ProvenRequest? {
        if case .request(let request) = manner { return request }
        return nil
    }
}
