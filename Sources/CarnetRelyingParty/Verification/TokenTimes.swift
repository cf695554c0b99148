/// When a token counts, in seconds since 1970. This is checked again whenever a verdict is used again.
struct TokenTimes: Sendable {
    let issuedAt: Int64
    let notBefore: Int64
    let expiresAt: Int64

    /// Checks expiry, beginning, age and length of life. A leap second repeats a second; the skew covers it.
    func check(_ expected: Expectations, at now: Int64, _ examination: inout Examination) throws(Refusal) {
        let skew = expected.clockSkew
        try examination.require(
            now < expiresAt + skew, .expired, "The token expired \(now - expiresAt) seconds ago",
            nextStep: "Let the machine attest again")
        try examination.require(
            notBefore - skew <= now && issuedAt - skew <= now, .notYetValid,
            "The token is valid only in \(max(notBefore, issuedAt) - now) seconds",
            nextStep: "Compare the clocks of the verifier and of this machine")
        try examination.require(
            now - issuedAt - skew <= expected.maximumAge, .tooOld,
            "The token was issued \(now - issuedAt) seconds ago; at most \(expected.maximumAge) are accepted",
            nextStep: "Let the machine attest again")
        try examination.require(
            expiresAt > issuedAt && expiresAt - issuedAt <= expected.maximumLifetime, .lifetime,
            "The token lives \(expiresAt - issuedAt) seconds; at most \(expected.maximumLifetime) are accepted",
            nextStep: "Configure the verifier to issue shorter passports")
    }
}
