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
        case .valid(let reference, _), .unknown(let reference, _): try check(reference, expected, at: now)
        case .notRevocable: try check(nil as StatusReference?, expected, at: now)
        case .notChecked: .notChecked
        }
    }

    /// Looks a token up: its list must be held, in time and fresh, have the index, and say that the token stands. With `whereListed`, what
    /// is missing of the first three is said instead.
    func check(
        _ reference: StatusReference?, _ expected: Expectations, at now: Int64
    ) throws(Refusal) -> RevocationCheck {
        let staleness: Int64, isStatusRequired: Bool, isListRequired: Bool
        switch expected.revocation {
        case .checked(let seconds, let isRequired):
            (staleness, isStatusRequired, isListRequired) = (seconds, isRequired, true)
        case .whereListed(let seconds): (staleness, isStatusRequired, isListRequired) = (seconds, false, false)
        case .notChecked: return .notChecked
        }
        guard let reference else {
            guard !isStatusRequired else {
                throw Refusal(
                    .revocation, "The token refers to no status list, so nobody could withdraw it",
                    nextStep: "Let the verifier issue passports with a status, or do not demand one")
            }
            return .notRevocable
        }
        guard let list = list(named: reference.uri) else {
            guard isListRequired else { return .unknown(reference, .notHeld) }
            throw refusal(of: .notHeld, reference, upTo: staleness)
        }
        try Self.checkBegin(of: list, expected.clockSkew, at: now)
        let gap = Self.gap(of: list, upTo: staleness, expected.clockSkew, at: now)
        if let gap, isListRequired { throw refusal(of: gap, reference, upTo: staleness) }
        try Self.checkStatus(in: list, at: reference.index)
        return gap.map { .unknown(reference, $0) } ?? .valid(reference, secondsAgo: max(0, now - list.issuedAt))
    }

    /// Whether some list counts, where a status is demanded of every token. Without any list nothing is said: an issuer that issued nothing yet
    /// has none.
    func checkAny(_ expected: Expectations, at now: Int64) throws(Refusal) {
        guard case .checked(let staleness, requiresStatus: true) = expected.revocation else { return }
        let tokens = held.compactMap { list(named: $0.uri) }
        guard let newest = tokens.max(by: { $0.issuedAt < $1.issuedAt }) else { return }
        let gaps = tokens.map { Self.gap(of: $0, upTo: staleness, expected.clockSkew, at: now) }
        guard gaps.allSatisfy({ $0 != nil }),
            let gap = Self.gap(of: newest, upTo: staleness, expected.clockSkew, at: now),
            let reference = StatusReference(uri: newest.uri, index: 0)
        else { return }
        throw refusal(of: gap, reference, upTo: staleness)
    }

    /// What a list says about a token, which must be that it stands.
    private static func checkStatus(in list: StatusListToken, at index: Int) throws(Refusal) {
        switch list.list[index] {
        case .valid: return
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

    private static func checkBegin(of list: StatusListToken, _ skew: Int64, at now: Int64) throws(Refusal) {
        guard list.issuedAt - skew <= now else {
            throw Refusal(
                .revocation, "The status list was issued \(Span.words(list.issuedAt - now)) from now",
                nextStep: "Compare the clocks of the verifier and of this machine")
        }
    }

    /// Why a list counts no more for a token that it does not speak against; `nil` when it does.
    private static func gap(
        of list: StatusListToken, upTo staleness: Int64, _ skew: Int64, at now: Int64
    ) -> RevocationCheck.Gap? {
        if let expiresAt = list.expiresAt, now >= expiresAt + skew { return .expired(secondsAgo: now - expiresAt) }
        let age = max(0, now - list.issuedAt)
        return age <= bounded(staleness) ? nil : .stale(secondsAgo: age)
    }

    private func refusal(
        of gap: RevocationCheck.Gap, _ reference: StatusReference, upTo staleness: Int64
    ) -> Refusal {
        switch gap {
        case .notHeld:
            Refusal(
                .statusUnknown, "The status list \(reference.uri) of the token is not at hand", nextStep: source.missing
            )
        case .expired(let seconds):
            Refusal(
                .statusExpired, "The status list expired \(Span.words(seconds)) ago", nextStep: source.newer)
        case .stale(let seconds):
            Refusal(
                .statusStale,
                "The status list is \(Span.words(seconds)) old; at most \(Span.words(Self.bounded(staleness))) are accepted",
                nextStep: source.newer)
        }
    }

    private static func bounded(_ staleness: Int64) -> Int64 {
        min(max(staleness, 0), RevocationExpectation.longestStaleness)
    }
}

extension StatusLists.Source {
    /// What to do when a list is not there.
    fileprivate var missing: String {
        switch self {
        case .issuer: "Fetch it from there and hand it to the verifier, or choose not to check revocation"
        case .bundle: "Get a newer bundle, or choose to look passports up only where their list is at hand"
        }
    }

    /// What to do when a list is too old.
    fileprivate var newer: String {
        switch self {
        case .issuer: "Fetch the list again"
        case .bundle: "Get a newer bundle, or choose to look passports up only where their list is at hand"
        }
    }
}
