internal import CarnetRelyingParty
internal import CarnetResult
internal import NIOConcurrencyHelpers

extension TrustRefresher {
    /// How far the clock may have been set back since something was kept, in seconds.
    private static let clockSkew: Int64 = 60

    /// Calls `body` with what an issuer published, each time that it was fetched and taken, before anybody who waits for it goes on.
    /// With a bundle it is never called: keep ``trust``, and the bundle itself.
    public func keeping(_ body: @escaping @Sendable (KeptTrust) -> Void) {
        state.withLockedValue { $0.keep = body }
    }

    /// Takes what an earlier run kept, until the issuer answers again. Its keys stop counting ``RefreshLimits/maximumKeyAge`` after they were
    /// fetched, and its lists when they end, as if the run had gone on. What this run fetched already stays.
    ///
    /// - Throws: ``KeptTrust/Unusable`` when it is of another issuer, too old, from the future, or cannot be read; then all is as it was.
    public func take(_ kept: KeptTrust) throws(KeptTrust.Unusable) {
        let now = now()
        guard case .issuer = source.kind, kept.issuer == verifier.expectations.issuer else {
            throw KeptTrust.Unusable(
                description: "the kept trust is \(kept.issuer)'s, whose passports do not count here")
        }
        guard kept.fetchedAt <= now + Self.clockSkew else {
            throw KeptTrust.Unusable(description: "the kept trust was fetched \(kept.fetchedAt - now) seconds from now")
        }
        let end = kept.fetchedAt + limits.maximumKeyAge
        guard now < end else {
            throw KeptTrust.Unusable(description: "the kept keys stopped counting \(now - end) seconds ago")
        }
        do {
            let keySet = try JSONWebKeySet(parsing: kept.keySet)
            let next = try verifier.trusting(keySet)
            var lists = next.statusLists
            for (name, token) in kept.statusLists { try lists.add(token, named: name, at: now) }
            // A list that ended stays, so that passports are refused for that, and not for the want of it.
            state.withLockedValue { [lists] state in
                guard state.keySet == nil else { return }
                state.keySet = keySet
                state.verifier = next.checking(lists).usable(until: end)
                state.published = Published(
                    keySet: kept.keySet, statusLists: kept.statusLists, fetchedAt: kept.fetchedAt)
            }
        } catch {
            throw KeptTrust.Unusable(description: "the kept trust cannot be used: \(error)")
        }
    }

    /// What the issuer published, as it came.
    struct Published: Sendable {
        var keySet: [UInt8]
        /// By name, those that are held.
        var statusLists: [String: [UInt8]]
        var fetchedAt: Int64
    }

    /// Hands out what was fetched, to be kept.
    func keepPublished() {
        let (published, keep) = state.withLockedValue { ($0.published, $0.keep) }
        guard let published, let keep else { return }
        keep(
            KeptTrust(
                issuer: verifier.expectations.issuer, fetchedAt: published.fetchedAt, keySet: published.keySet,
                statusLists: published.statusLists))
    }
}
