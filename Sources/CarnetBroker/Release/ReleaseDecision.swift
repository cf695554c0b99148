import CarnetRelyingParty

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
        guard !policies.isEmpty else { return .refused(["No policy gives it to anybody."]) }
        var reasons: [String] = [], wantsFreshEvidence = false
        for policy in policies {
            var unmet = policy.demands.unmet(by: result, at: now)
            if !policy.subjects.isEmpty, !policy.subjects.contains(result.subject) {
                unmet.append("It is for other machines.")
            }
            if let form, !policy.forms.contains(form) { unmet.append("It is not given as \(form.rawValue).") }
            if unmet.isEmpty {
                if policy.freshness == .passport || isFresh { return .granted(policy: policy.id) }
                wantsFreshEvidence = true
            }
            reasons += unmet.map { "\(policy.id): \($0)" }
        }
        return wantsFreshEvidence ? .wantsFreshEvidence : .refused(reasons)
    }
}
