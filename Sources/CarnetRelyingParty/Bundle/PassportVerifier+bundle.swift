public import CarnetResult

extension PassportVerifier {
    /// A verifier for passports of an issuer in a bundle, which looks them up in the bundle's status lists.
    ///
    /// It counts no longer than the bundle does: every check looks at the bundle's times again.
    ///
    /// - Parameters:
    ///   - audience: The relying party's own name.
    ///   - issuer: Whose passports are taken; may be left out when the bundle has one issuer.
    ///   - resultCount: How many accepted passports to remember.
    ///   - adjust: Changes what is demanded. The bundle's minimum policy is demanded whatever it does.
    /// - Throws: ``CarnetResult/BundleError/Code/expectations`` when the bundle does not fit what is demanded.
    public init(
        bundle: TrustBundle, audience: String, issuer: String? = nil, proofs: ProofExpectations = ProofExpectations(),
        remembering resultCount: Int = 0, _ adjust: (inout Expectations) -> Void = { _ in }
    ) throws(BundleError) {
        let found = try bundle.issuer(named: issuer)
        var own = Expectations(issuer: found.name, audience: audience)
        adjust(&own)
        own.issuer = found.name
        try self.init(bundle, found, own, proofs, resultCount)
    }

    /// - Parameter own: What the relying party demands by itself.
    private init(
        _ bundle: TrustBundle, _ issuer: BundledIssuer, _ own: Expectations, _ proofs: ProofExpectations,
        _ resultCount: Int
    ) throws(BundleError) {
        let expectations = try own.tightened(by: bundle.minimum)
        do {
            try self.init(
                keySet: issuer.keySet, expectations: expectations, proofs: proofs, remembering: resultCount)
            statusLists = try StatusLists(issuer.statusLists, keySet: issuer.keySet)
            statusLists.source = .bundle
        } catch {
            throw BundleError(.content, "the issuer's keys or lists cannot be used: \(error)")
        }
        ownExpectations = own
        validity = bundle.validity
    }

    /// The same verifier after the next bundle: it demands what this relying party demanded by itself and what the new bundle does, and
    /// what the old one did is not kept. Proofs that were seen stay remembered, accepted passports do not. A status list that is newer
    /// than the bundle's stays.
    ///
    /// - Parameter adjust: Changes what the relying party demands from now on.
    public func continuing(
        with bundle: TrustBundle, _ adjust: (inout Expectations) -> Void = { _ in }
    ) throws(BundleError) -> PassportVerifier {
        let issuer = try bundle.issuer(named: ownExpectations.issuer)
        var own = ownExpectations
        adjust(&own)
        own.issuer = issuer.name
        var next = try PassportVerifier(bundle, issuer, own, proofs, results?.capacity ?? 0)
        next.statusLists.take(newerOf: statusLists)
        next.replayCache = replayCache
        return next
    }

    /// The same verifier with other keys of its issuer, after a refresh. Proofs that were seen stay remembered; accepted passports do not,
    /// since the key of one may be gone, and of the status lists only those that these keys signed.
    public func trusting(_ keySet: JSONWebKeySet) throws(JOSEError) -> PassportVerifier {
        var next = try PassportVerifier(
            keySet: keySet, expectations: expectations, proofs: proofs, remembering: results?.capacity ?? 0)
        next.ownExpectations = ownExpectations
        next.statusLists = statusLists.trusting(keySet)
        next.replayCache = replayCache
        next.validity = validity
        next.keysUsableUntil = keysUsableUntil
        return next
    }

    /// The same verifier, whose keys stop counting at a time unless somebody brings them anew: a key that was stolen and withdrawn does
    /// not count for ever where the news cannot come through.
    ///
    /// - Parameter time: Seconds since 1970; `nil` for keys that never stop.
    public func usable(until time: Int64?) -> PassportVerifier {
        var next = self
        next.keysUsableUntil = time
        return next
    }

    func checkKeys(at now: Int64) throws(Refusal) {
        guard let time = keysUsableUntil, now >= time else { return }
        throw Refusal(
            .keysStale, "The issuer's keys could not be fetched again for too long",
            nextStep: "Look why they cannot be fetched; nothing is accepted until they can")
    }

    /// Whether the bundle that brought the keys still counts; `nil` when none did.
    func bundleFreshness(at now: Int64) throws(Refusal) -> BundleFreshness? {
        do throws(BundleError) {
            return try validity?.freshness(at: now)
        } catch {
            throw Refusal(
                .bundleTime, "Passports cannot be checked: \(error)",
                nextStep: error.nextStep)
        }
    }
}
