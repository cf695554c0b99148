package import CarnetRelyingParty

/// What a release policy demands of a passport, beside what the broker demands of each. The defaults are the safe ones.
package struct PassportDemands: Sendable, Hashable {
    /// The worst acceptable status.
    package var tier = TrustTier.affirming
    /// Claims of the vector that must be asserted, with the worst acceptable tier of each.
    package var vector: [TrustworthinessVector.Claim: TrustTier] = [:]
    /// The shallowest acceptable appraisal.
    package var depth = AppraisalDepth.pcrs
    /// The weakest acceptable protection of the bound key.
    package var keyProtection = KeyProtection.tpm
    /// Labels that the machine must have. They say whom a policy means, and are looked at before the rest.
    package var labels: [String: String] = [:]
    /// The verifier's policies of which one must have been applied, by identifier; empty for any.
    package var policies: Set<String> = []
    /// The oldest acceptable passport, in seconds.
    package var maximumAge: Int64 = 3600
    /// Whether Secure Boot must have been on.
    package var needsSecureBoot = false
    /// Phases of the boot that must have been reached, and those that must not.
    package var phases = PhaseExpectation()

    /// What is not met, labels aside, each in a sentence for people; empty when all is.
    ///
    /// - Parameter now: Seconds since 1970.
    package func unmet(by result: VerifiedResult, at now: Int64) -> [String] {
        guard let tpm = result.submodules[AttestationResult.submodule] else {
            return ["The passport says nothing about the TPM."]
        }
        var unmet: [String] = []
        func demand(_ isMet: Bool, _ reason: @autoclosure () -> String) { if !isMet { unmet.append(reason()) } }
        demand(
            min(result.status, tpm.status) >= tier,
            "The status is \(min(result.status, tpm.status).rawValue); \(tier.rawValue) is demanded.")
        for (claim, floor) in vector.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let found = tpm.vector[claim].map { TrustworthinessVector.tier(of: $0) }
            demand(
                found.map { $0 >= floor } ?? false,
                "The claim \(claim.rawValue) is \(found?.rawValue ?? "not asserted"); \(floor.rawValue) is demanded.")
        }
        demand(tpm.depth >= depth, "The appraisal was of \(tpm.depth.rawValue); \(depth.rawValue) is demanded.")
        demand(
            tpm.keyProtection >= keyProtection,
            "The key is protected by \(tpm.keyProtection.rawValue); \(keyProtection.rawValue) is demanded: attest with --key-protection \(keyProtection.rawValue)."
        )
        demand(
            policies.isEmpty || tpm.policyIDs.contains { policies.contains(Self.name(ofPolicy: $0)) },
            "None of the policies \(policies.sorted().joined(separator: ", ")) was applied.")
        demand(
            now - result.issuedAt <= maximumAge,
            "The passport is \(now - result.issuedAt) seconds old; at most \(maximumAge) are allowed: attest again.")
        demand(!needsSecureBoot || tpm.secureBoot == true, "Secure Boot was not on.")
        if let reason = phases.unmet(by: tpm.phases) { unmet.append(reason) }
        return unmet
    }

    /// The name of a verifier's policy in `tag:carnet.dev,2026:policy/<name>@sha256:<digest>`.
    private static func name(ofPolicy identifier: String) -> String {
        let prefix = "tag:carnet.dev,2026:policy/"
        guard identifier.hasPrefix(prefix) else { return identifier }
        return String(identifier.dropFirst(prefix.count).prefix { $0 != "@" })
    }
}
