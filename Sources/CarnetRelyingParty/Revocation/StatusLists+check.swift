internal import CarnetResult
internal import StrictEncoding

extension StatusLists {
    /// Reads a token's claim `status` and looks the token up.
    func check(_ claim: (some JSONReadable)?, _ expected: Expectations, at now: Int64) throws(Refusal)
        -> RevocationCheck
    {
        guard let claim else { return try check(nil as StatusReference?, expected, at: now) }
        if expected.revocation == .notChecked { return .notChecked }
        guard let reference = StatusReference(claim: claim) else {
            throw Refusal(
                .revocation, "The claim status is no reference to a status list that can be read",
                nextStep: "Report this to the issuer, or use a version of the library that knows its mechanism")
        }
        return try check(reference, expected, at: now)
    }

    /// Looks a token up that was looked up before: what it refers to is signed and the same, and what the lists say may be another.
    func check(
        again earlier: RevocationCheck, _ expected: Expectations, at now: Int64
    ) throws(Refusal) -> RevocationCheck {
        switch earlier {
        case .valid(let reference, _): try check(reference, expected, at: now)
        case .notRevocable: try check(nil as StatusReference?, expected, at: now)
        case .notChecked: .notChecked
        }
    }

    /// Looks a token up: its list must be held, in time and fresh, have the index, and say that the token stands.
    func check(
        _ reference: StatusReference?, _ expected: Expectations, at now: Int64
    ) throws(Refusal) -> RevocationCheck {
        guard case .checked(let staleness, let isRequired) = expected.revocation else { return .notChecked }
        guard let reference else {
            guard !isRequired else {
                throw Refusal(
                    .revocation, "The token refers to no status list, so nobody could withdraw it",
                    nextStep: "Let the verifier issue passports with a status, or do not demand one")
            }
            return .notRevocable
        }
        guard let list = list(named: reference.uri) else {
            throw Refusal(
                .statusUnknown, "The status list \(reference.uri) of the token is not at hand",
                nextStep: "Fetch it from there and hand it to the verifier, or choose not to check revocation")
        }
        let age = try Self.age(of: list, upTo: staleness, expected.clockSkew, at: now)
        switch list.list[reference.index] {
        case .valid: return .valid(reference, secondsAgo: age)
        case .invalid:
            throw Refusal(.revoked, "The issuer withdrew the token", nextStep: "Let the machine attest again")
        case .suspended:
            throw Refusal(
                .suspended, "The issuer suspended the token",
                nextStep: "Try again later, or let the machine attest again"
            )
        case let status?:
            throw Refusal(
                .revocation, "The token has the \(status), which is not understood",
                nextStep: "Ask the issuer what it means")
        case nil:
            throw Refusal(
                .revocation, "The status list has \(list.list.count) entries, none at the token's index",
                nextStep: "Report this to the issuer")
        }
    }

    /// How many seconds ago a list said what it says.
    private static func age(
        of list: StatusListToken, upTo staleness: Int64, _ skew: Int64, at now: Int64
    ) throws(Refusal) -> Int64 {
        let fetch = "Fetch the list again"
        if let expiresAt = list.expiresAt, now >= expiresAt + skew {
            throw Refusal(.statusExpired, "The status list expired \(now - expiresAt) seconds ago", nextStep: fetch)
        }
        guard list.issuedAt - skew <= now else {
            throw Refusal(
                .revocation, "The status list was issued \(list.issuedAt - now) seconds from now",
                nextStep: "Compare the clocks of the verifier and of this machine")
        }
        let age = max(0, now - list.issuedAt), limit = min(max(staleness, 0), RevocationExpectation.longestStaleness)
        guard age <= limit else {
            throw Refusal(
                .statusStale, "The status list is \(age) seconds old; at most \(limit) are accepted", nextStep: fetch)
        }
        return age
    }
}
