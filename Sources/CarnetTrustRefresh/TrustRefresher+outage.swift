public import CarnetRelyingParty
internal import NIOConcurrencyHelpers

extension TrustRefresher {
    /// Why no passport can be believed now, for people; `nil` when passports can be checked. A service that answers machines is not ready
    /// then, and no machine is to blame.
    public var outage: String? {
        let (verifier, outcome) = state.withLockedValue { ($0.verifier, $0.lastOutcome) }
        if let refusal = verifier.outage(at: now()) { return refusal.reason }
        // Without a list there is nobody who could be let in, unless the issuer itself says that it has none.
        guard case .issuer(_, _, withStatusLists: true) = source.kind, case .kept = outcome,
            case .checked(_, requiresStatus: true) = verifier.expectations.revocation,
            verifier.statusLists.held.isEmpty
        else { return nil }
        return "No status list of the issuer is at hand"
    }

    /// Whether a refusal tells of what is missing here, and not of the passport: then it may be accepted later as it is.
    public func isOutage(_ code: Refusal.Code) -> Bool {
        switch code {
        case .keysStale, .bundleTime, .statusUnknown, .statusExpired, .statusStale: true
        // Whose key it is cannot be said while the issuer's are not known.
        case .unknownKey: outage != nil
        default: false
        }
    }

    /// When the next refresh is due, in seconds since 1970.
    public var dueAt: Int64 { state.withLockedValue { $0.schedule.dueAt } }

    /// When the keys at hand were fetched, in seconds since 1970; `nil` before the first time, and with a bundle.
    public var fetchedAt: Int64? { state.withLockedValue { $0.published?.fetchedAt } }

    /// Calls `body` when a refresh has ended, each time, after what it brought counts.
    public func telling(_ body: @escaping @Sendable (Outcome) -> Void) {
        state.withLockedValue { $0.tell = body }
    }
}
