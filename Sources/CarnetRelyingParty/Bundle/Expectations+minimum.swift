public import CarnetResult

extension Expectations {
    /// Expectations that demand what these demand and what a minimum policy demands; nothing becomes looser.
    ///
    /// - Throws: ``CarnetResult/BundleError/Code/expectations`` when no policy meets both.
    public func tightened(by minimum: MinimumPolicy) throws(BundleError) -> Expectations {
        var tightened = self
        tightened.minimumTier = max(minimumTier, minimum.tier ?? minimumTier)
        tightened.minimumDepth = max(minimumDepth, minimum.depth ?? minimumDepth)
        tightened.minimumKeyProtection = max(minimumKeyProtection, minimum.keyProtection ?? minimumKeyProtection)
        tightened.maximumAge = min(maximumAge, minimum.maximumAge ?? maximumAge)
        tightened.policyIDs = try Self.policies(policyIDs, Set(minimum.policyIDs)) { Self.narrower($0, $1) }
        tightened.policyDigests = try Self.policies(policyDigests, Set(minimum.policyDigests)) { $0 == $1 ? $0 : nil }
        if let age = minimum.maximumStatusAge {
            switch revocation {
            case .notChecked: tightened.revocation = .checked(maximumStaleness: age)
            case .checked(let staleness, let isRequired):
                tightened.revocation = .checked(maximumStaleness: min(staleness, age), requiresStatus: isRequired)
            case .whereListed(let staleness):
                tightened.revocation = .checked(maximumStaleness: min(staleness, age))
            }
        }
        // What is demanded of required submodules is demanded of somebody.
        if minimum != MinimumPolicy() { tightened.requiredSubmodules.insert(AttestationResult.submodule) }
        return tightened
    }

    /// The policies that both sets accept; an empty set accepts all.
    private static func policies(
        _ own: Set<String>, _ minimum: Set<String>, _ meet: (String, String) -> String?
    ) throws(BundleError) -> Set<String> {
        guard !own.isEmpty, !minimum.isEmpty else { return own.union(minimum) }
        var both: Set<String> = []
        for left in own {
            for right in minimum {
                if let found = meet(left, right) { both.insert(found) }
            }
        }
        guard !both.isEmpty else {
            throw BundleError(.expectations, "no policy is demanded here that the bundle's minimum policy accepts")
        }
        return both
    }

    /// The narrower of two identifiers of one policy: an identifier without `@sha256:` is about every version.
    private static func narrower(_ left: String, _ right: String) -> String? {
        if left == right || left.hasPrefix(right + "@sha256:") { return left }
        return right.hasPrefix(left + "@sha256:") ? right : nil
    }
}
