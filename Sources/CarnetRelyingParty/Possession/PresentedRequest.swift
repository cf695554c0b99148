/// The parts of an HTTP request that say who sent it. Every server has them; no HTTP library is needed.
public struct PresentedRequest: Sendable {
    /// The method, as `POST`; case-sensitive.
    public let method: String
    /// The target as this server knows it: scheme and authority from configuration, never from the Host field; the path as received.
    public let uri: String
    /// The value of each `Authorization` header field, in whatever number came.
    public let authorization: [String]
    /// The value of each `DPoP` header field, in whatever number came.
    public let proofs: [String]

    /// A request, with every value of the two header fields: what a library joined with commas is taken apart by nobody, and refused.
    public init(method: String, uri: String, authorization: [String], proofs: [String]) {
        self.method = method
        self.uri = uri
        self.authorization = authorization
        self.proofs = proofs
    }

    /// The passport of the one `Authorization: DPoP …` field (RFC 9449 §7.1).
    func passport() throws(RequestRefusal) -> [UInt8] {
        guard let field = authorization.first else {
            throw RequestRefusal(
                error: nil,
                Refusal(
                    .proof, "The request has no Authorization field",
                    nextStep: "Send the passport as `Authorization: DPoP …` and a proof as `DPoP: …`"))
        }
        guard authorization.count == 1 else {
            throw RequestRefusal(
                status: 400, error: "invalid_request",
                Refusal(
                    .malformed, "The request has \(authorization.count) Authorization fields",
                    nextStep: "Send exactly one"))
        }
        let parts = field.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        // A bound token that is shown as a bearer's is refused too (RFC 9449 §7.2).
        guard parts.count == 2, parts[0].lowercased() == "dpop" else {
            throw RequestRefusal(
                error: "invalid_token",
                Refusal(
                    .type, "The scheme of the Authorization field is not DPoP", nextStep: "Send `Authorization: DPoP …`"
                ))
        }
        return Array(parts[1].drop { $0 == " " }.utf8)
    }

    /// The proof of the one `DPoP` field (RFC 9449 §4.3, item 1).
    func proof() throws(RequestRefusal) -> [UInt8] {
        guard proofs.count == 1, let proof = proofs.first else {
            throw RequestRefusal(
                error: "invalid_dpop_proof",
                Refusal(
                    .proof, "The request has \(proofs.count) DPoP fields", nextStep: "Send exactly one, with one proof")
            )
        }
        return Array(proof.utf8)
    }
}
