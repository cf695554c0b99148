import CarnetRelyingParty
import CarnetResult

/// What the policies say to a machine that asks for something. Pure; time is an argument.
enum ReleaseDecision: Sendable, Hashable {
    /// It gets it, under this policy.
    case granted(policy: String)
    /// It gets it once its evidence was appraised now.
    case wantsFreshEvidence
    /// It does not get it: why, policy by policy.
    case refused([String])

    /// Decides.
    ///
    /// - Parameters:
    ///   - policies: Those that cover what is asked for, and no others.
    ///   - form: In which form; `nil` where there is one.
    ///   - isFresh: Whether evidence was appraised at this moment, besides the passport.
    static func decide(
        _ policies: [ReleasePolicy], _ result: VerifiedResult, form: ReleasePolicy.Form?, isFresh: Bool, at now: Int64
    ) -> ReleaseDecision {
        var reasons: [String] = [], wantsFreshEvidence = false
        for policy in policies where policy.isFor(result) {
            var unmet = policy.demands.unmet(by: result, at: now)
            if let form, !policy.forms.contains(form) { unmet.append("It is not given as \(form.rawValue).") }
            if unmet.isEmpty {
                if policy.freshness == .passport || isFresh { return .granted(policy: policy.id) }
                wantsFreshEvidence = true
            }
            reasons += unmet.map { "\(policy.id): \($0)" }
        }
        return wantsFreshEvidence ? .wantsFreshEvidence : .refused(reasons.isEmpty ? [nobodys] : reasons)
    }

    /// What every machine is told that no policy means, whether there is such a name or not.
    static let nobodys = "No policy gives it to this machine."
}

extension ReleasePolicy {
    /// Whether it means this machine: by its subject, and by its labels. Who is not meant learns nothing of a policy.
    fileprivate func isFor(_ result: VerifiedResult) -> Bool {
        guard subjects.isEmpty || subjects.contains(result.subject) else { return false }
        let labels = result.submodules[AttestationResult.submodule]?.nodeLabels ?? [:]
        return demands.labels.allSatisfy { labels[$0.key] == $0.value }
    }
}
