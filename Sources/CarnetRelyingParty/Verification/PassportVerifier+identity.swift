public import CarnetResult
internal import StrictEncoding

/// Whose an authentic passport is and what it says, whatever it is worth now.
///
/// The issuer signed it for this relying party. Nothing is granted for that: it may have expired, be withdrawn, or tell of a machine that
/// nobody should trust. It serves to know which machine's bad or late news was received.
public struct PassportIdentity: Sendable {
    /// The machine's enrolment, a URI.
    public let subject: String
    /// The token's `jti`.
    public let tokenID: String
    /// The status of the whole.
    public let status: TrustTier
    /// What the verifier's operator calls the machine, as far as the verifier says it.
    public let nodeLabels: [String: String]
    /// Seconds since 1970.
    public let issuedAt: Int64
    /// Seconds since 1970.
    public let expiresAt: Int64
    /// What a status list at hand says against the passport, however old the list is; `nil` when none does.
    public let withdrawal: Refusal?
}

extension PassportVerifier {
    /// Reads whose passport a token is, once its signature, issuer, audience and form were checked. What it is worth is not looked at.
    ///
    /// - Parameters:
    ///   - token: The compact JWS, in ASCII.
    ///   - now: Seconds since 1970.
    /// - Throws: The refusal of ``verify(_:at:)`` for a token of somebody else, for another audience, or that cannot be read, and where no
    ///   token can be checked now. A token from the future is refused too.
    public func identity(of token: [UInt8], at now: Int64) throws(Refusal) -> PassportIdentity {
        try Self.checkSize(of: token)
        let now = Self.bounded(now)
        try checkKeys(at: now)
        _ = try bundleFreshness(at: now)
        let claims = try self.claims(of: try authenticated(token), token)
        var lenient = Expectations(issuer: expectations.issuer, audience: expectations.audience)
        lenient.profiles = expectations.profiles
        lenient.toleratedAbsences = expectations.toleratedAbsences
        lenient.requiredSubmodules = expectations.requiredSubmodules
        lenient.clockSkew = expectations.clockSkew
        lenient.minimumTier = .none
        lenient.revocation = .notChecked
        lenient.minimumKeyProtection = .software
        lenient.maximumAge = 1 << 40
        lenient.maximumLifetime = 1 << 40
        // A token that has expired is read as it was in its last second.
        let expiresAt = Self.bounded(claims.root["exp"]?.integer ?? now + 1)
        var examination = Examination(keepsGoing: false)
        guard let result = try claims.verified(lenient, statusLists, at: min(now, expiresAt - 1), &examination) else {
            throw TokenClaims.unreadable("the checks did not come to an end")
        }
        var withdrawal: Refusal?
        do throws(Refusal) {
            _ = try statusLists.check(claims.root["status"], withdrawn, at: now)
        } catch {
            if [.revoked, .suspended].contains(error.code) { withdrawal = error }
        }
        return PassportIdentity(
            subject: result.subject, tokenID: result.tokenID, status: result.status,
            nodeLabels: result.submodules[AttestationResult.submodule]?.nodeLabels ?? [:], issuedAt: result.issuedAt,
            expiresAt: result.expiresAt, withdrawal: withdrawal)
    }

    /// Demands nothing but that no list at hand speaks against a token.
    private var withdrawn: Expectations {
        var expected = Expectations(issuer: expectations.issuer, audience: expectations.audience)
        expected.clockSkew = expectations.clockSkew
        expected.revocation = .whereListed(maximumStaleness: RevocationExpectation.longestStaleness)
        return expected
    }
}
