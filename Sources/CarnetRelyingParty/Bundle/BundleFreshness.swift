internal import CarnetResult

/// Whether a trust bundle still counts.
public enum BundleFreshness: Sendable, Hashable {
    /// The bundle has not expired.
    case current
    /// The bundle has expired, and counts for this many seconds more: get the next one.
    case inGrace(secondsLeft: Int64)
}

/// When a bundle counts, in seconds since 1970. This is checked at every use of what it brought.
struct BundleValidity: Sendable, Hashable {
    let issuedAt: Int64
    let expiresAt: Int64
    let grace: Int64

    /// How far the clock of the bundle's maker may be ahead, in seconds.
    static let clockSkew: Int64 = 60

    /// - Throws: ``CarnetResult/BundleError`` with the code `notYetValid` or `expired`.
    func freshness(at now: Int64) throws(BundleError) -> BundleFreshness {
        let now = PassportVerifier.bounded(now)
        guard issuedAt <= now + Self.clockSkew else {
            throw BundleError(.notYetValid, "the trust bundle was made \(Span.words(issuedAt - now)) from now")
        }
        if now < expiresAt { return .current }
        guard now - expiresAt < grace else {
            let grace = grace > 0 ? "its grace was \(Span.words(grace))" : "it had no grace"
            throw BundleError(.expired, "the trust bundle expired \(Span.words(now - expiresAt)) ago; \(grace)")
        }
        return .inGrace(secondsLeft: expiresAt + grace - now)
    }
}
