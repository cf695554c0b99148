internal import StrictEncoding

/// All that a token lacks of what is demanded, for people and as JSON.
public struct PassportExplanation: Sendable, Hashable, Codable {
    /// Whether ``PassportVerifier/verify(_:at:)`` accepts the token at the same time.
    public let isAccepted: Bool
    /// Whether the signature is the issuer's. When it is not, nothing that the token says is worth listing, and ``lacks`` ends there.
    public let isAuthentic: Bool
    /// What is wrong, in the order of the checks; empty when the token is accepted.
    public let lacks: [Lack]
    /// What the token says of itself, if it is authentic and says so in a readable form.
    public let facts: Facts?

    /// One expectation that the token does not meet.
    public struct Lack: Sendable, Hashable, Codable {
        /// The stable code of the refusal (``Refusal/Code``).
        public let code: String
        /// What was expected and what was found.
        public let reason: String
        /// What to do about it.
        public let nextStep: String

        init(_ refusal: Refusal) {
            code = refusal.code.rawValue
            reason = refusal.reason
            nextStep = refusal.nextStep
        }
    }

    /// What an authentic token says of itself, whether or not it is accepted. Times are seconds since 1970.
    public struct Facts: Sendable, Hashable, Codable {
        public let issuer: String?
        public let subject: String?
        public let tokenID: String?
        public let profile: String?
        public let status: String?
        public let issuedAt: Int64?
        public let expiresAt: Int64?
    }
}

extension PassportExplanation: CustomStringConvertible {
    /// A line for the verdict, and two for everything that is missing.
    public var description: String {
        if isAccepted { return "The passport is all that is demanded." }
        let count = lacks.count == 1 ? "one thing" : "\(lacks.count) things"
        let head =
            isAuthentic
            ? "The passport lacks \(count):" : "The passport was not believed, and nothing in it was looked at:"
        return ([head] + lacks.map { "- \($0.reason) (\($0.code)).\n  \($0.nextStep)." }).joined(separator: "\n")
    }
}

extension PassportVerifier {
    /// Says everything that a token lacks, and not only the first thing. It remembers nothing, and decides nothing: what it calls
    /// accepted is what ``verify(_:at:)`` accepts.
    ///
    /// - Parameters:
    ///   - token: The compact JWS, in ASCII.
    ///   - now: Seconds since 1970.
    public func explain(_ token: [UInt8], at now: Int64) -> PassportExplanation {
        var examination = Examination(keepsGoing: true)
        var claims: TokenClaims?
        var isAuthentic = false
        do throws(Refusal) {
            try Self.checkSize(of: token)
            _ = try examination.run { () throws(Refusal) in try checkKeys(at: Self.bounded(now)) }
            _ = try examination.run { () throws(Refusal) in try bundleFreshness(at: now) }
            let jws = try authenticated(token)
            isAuthentic = true
            let found = try self.claims(of: jws, token)
            claims = found
            let result = try found.verified(expectations, statusLists, at: Self.bounded(now), &examination)
            if result == nil, examination.refusals.isEmpty {
                throw TokenClaims.unreadable("the checks did not come to an end")
            }
            return explanation(examination.refusals, claims, isAuthentic: true)
        } catch {
            return explanation(examination.refusals + [error], claims, isAuthentic: isAuthentic)
        }
    }

    private func explanation(
        _ refusals: [Refusal], _ claims: TokenClaims?, isAuthentic: Bool
    ) -> PassportExplanation {
        PassportExplanation(
            isAccepted: refusals.isEmpty, isAuthentic: isAuthentic, lacks: refusals.map(PassportExplanation.Lack.init),
            facts: claims?.facts)
    }
}

extension TokenClaims {
    /// What the token says of itself, fit for a terminal.
    fileprivate var facts: PassportExplanation.Facts {
        func text(_ name: String) -> String? { root[name]?.string.map(Self.printable) }
        return PassportExplanation.Facts(
            issuer: text("iss"), subject: text("sub"), tokenID: text("jti"), profile: text("eat_profile"),
            status: text("ear_status") ?? text("ear.status"), issuedAt: root["iat"]?.integer,
            expiresAt: root["exp"]?.integer)
    }
}
