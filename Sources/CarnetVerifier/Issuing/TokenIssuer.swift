import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import Cryptography
import StrictEncoding

/// Signs verdicts.
struct TokenIssuer: Sendable {
    let issuer: String
    let lifetime: Int64
    /// The key that signs at the moment of the call. Ask for it after the time that the token states was read, and before anything is
    /// recorded: when there is none, the challenge is still good.
    let signingKey: @Sendable () async throws -> SigningKey
    /// Whether tokens say where they can be withdrawn.
    var refersToStatusLists = true

    /// A fresh `jti`.
    /// 128 random bits, never beginning with a dash, which a command line would take for an option.
    static func tokenID() -> String {
        var id: String
        repeat { id = Base64URL.encode(SecureRandom.bytes(16)) } while id.hasPrefix("-")
        return id
    }

    /// The signed token of a verdict.
    ///
    /// - Parameters:
    ///   - nonce: What the requester recognises its own request by.
    ///   - nodeLabels: What relying parties may see of the machine's labels.
    ///   - now: Seconds since 1970, by the verifier's clock alone.
    ///   - key: What ``signingKey`` gave.
    ///   - status: Where the token's status is kept, if anywhere.
    func token(
        _ verdict: Verdict, for quote: AuthenticatedQuote, subject: String, audience: [String], nonce: [UInt8],
        id: String, nodeLabels: [String: String] = [:], now: Int64,
        key: SigningKey, status: StatusEntry? = nil
    ) throws(JOSEError) -> String {
        let result = AttestationResult(
            issuer: issuer, subject: subject, audience: audience, issuedAt: now, lifetime: lifetime, tokenID: id,
            nonce: nonce, verifierID: .init(developer: Build.developer, build: Build.name),
            keyThumbprint: try JSONWebKey(quote.keys.confirmation.key).thumbprint,
            appraisal: try verdict.submodule(for: quote, nodeLabels: nodeLabels),
            statusReference: status?.reference(issuer: issuer))
        return String(decoding: try key.mint(result), as: UTF8.self)
    }
}
