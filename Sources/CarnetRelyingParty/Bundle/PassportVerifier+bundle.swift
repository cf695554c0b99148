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
        var expectations = Expectations(issuer: found.name, audience: audience)
        adjust(&expectations)
        expectations.issuer = found.name
        expectations = try expectations.tightened(by: bundle.minimum)
        do {
            try self.init(
                keySet: found.keySet, expectations: expectations, proofs: proofs, remembering: resultCount)
            statusLists = try StatusLists(found.statusLists, keySet: found.keySet)
            statusLists.source = .bundle
        } catch {
            throw BundleError(.content, "the issuer's keys or lists cannot be used: \(error)")
        }
        validity = bundle.validity
    }

    /// The same verifier after the next bundle. Proofs that were seen stay remembered, accepted passports do not.
    ///
    /// - Parameter adjust: What it was made with; expectations are made anew, so that the minimum policy of an older bundle is not kept.
    public func continuing(
        with bundle: TrustBundle, _ adjust: (inout Expectations) -> Void = { _ in }
    ) throws(BundleError) -> PassportVerifier {
        var next = try PassportVerifier(
            bundle: bundle, audience: expectations.audience, issuer: expectations.issuer, proofs: proofs,
            remembering: results?.capacity ?? 0, adjust)
        next.replayCache = replayCache
        return next
    }

    /// The same verifier with other keys of its issuer, after a refresh. Proofs that were seen stay remembered; accepted passports do not,
    /// since the key of one may be gone. There are no status lists until ``checking(_:)`` brings some that these keys signed.
    public func trusting(_ keySet: JSONWebKeySet) throws(JOSEError) -> PassportVerifier {
        var next = try PassportVerifier(
            keySet: keySet, expectations: expectations, proofs: proofs, remembering: results?.capacity ?? 0)
        next.replayCache = replayCache
        next.validity = validity
        return next
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
