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

    /// Why a machine does not get something, policy by policy, for operators: also of policies that do not mean the machine, of which it must
    /// learn nothing itself.
    ///
    /// - Returns: At most ``maximumReasonCount`` sentences of at most ``maximumReasonByteCount`` bytes, each with its policy's identifier before it.
    static func explain(
        _ policies: [ReleasePolicy], _ result: VerifiedResult, form: ReleasePolicy.Form?, at now: Int64
    ) -> [String] {
        guard !policies.isEmpty else { return ["No policy names it."] }
        var reasons: [String] = []
        for policy in policies {
            var unmet = policy.others(than: result) + policy.demands.unmet(by: result, at: now)
            if let form, !policy.forms.contains(form) { unmet.append("It is not given as \(form.rawValue).") }
            reasons += unmet.map { cut("\(policy.id): \($0)") }
        }
        guard reasons.count > maximumReasonCount else { return reasons }
        let rest = reasons.count - maximumReasonCount + 1
        return reasons.prefix(maximumReasonCount - 1) + ["And \(rest) more."]
    }

    /// The most sentences of one explanation.
    static let maximumReasonCount = 16
    /// The longest of them, in bytes.
    static let maximumReasonByteCount = 256

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > maximumReasonByteCount else { return text }
        return String(decoding: text.utf8.prefix(maximumReasonByteCount - 4), as: UTF8.self) + "…"
    }

    /// What every machine is told that no policy means, whether there is such a name or not.
    static let nobodys = "No policy gives it to this machine."
}

extension ReleasePolicy {
    /// Whether it means this machine: by its subject, and by its labels. Who is not meant learns nothing of a policy.
    fileprivate func isFor(_ result: VerifiedResult) -> Bool { others(than: result).isEmpty }

    /// Why it does not mean this machine, for operators; empty when it does.
    fileprivate func others(than result: VerifiedResult) -> [String] {
        let labels = result.submodules[AttestationResult.submodule]?.nodeLabels ?? [:]
        let isNamed = subjects.isEmpty || subjects.contains(result.subject)
        return (isNamed ? [] : ["The machine is not among its machines."])
            + demands.labels.sorted { $0.key < $1.key }.filter { labels[$0.key] != $0.value }.map { name, value in
                "The label \(name) is \(labels[name] ?? "not disclosed"); \(value) is demanded."
            }
    }
}
