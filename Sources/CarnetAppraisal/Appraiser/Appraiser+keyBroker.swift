public import CarnetEvidence
internal import TPM2

extension Appraiser {
    /// Appraises a quote that a key-broker client made: over all PCRs, of which the policy's are looked at, and without logs.
    ///
    /// - Parameter now: Seconds since 1970.
    public func appraise(keyBroker quote: AuthenticatedQuote, at now: Int64) -> AppraisalOutcome {
        guard let policy else { return appraise(quote, at: now) }
        guard !policy.requiresEventLog else { return .broken([.protocolWithoutLogs]) }
        guard let narrowed = quote.narrowed(to: policy.selection) else {
            return .broken([.protocolWithOneBank(policy)])
        }
        return appraise(narrowed, at: now)
    }
}

extension Finding {
    fileprivate static let protocolWithoutLogs = Finding(
        .brokenEvidenceChain, rule: "event-log-missing",
        "The policy demands the event log, and the key-broker protocol carries none",
        remedy:
            "Give machines whose key-broker clients attest a policy with `event_log: optional`, or let them ask with carnet-agent"
    )

    fileprivate static func protocolWithOneBank(_ policy: Policy) -> Finding {
        Finding(
            .brokenEvidenceChain, rule: "pcr-selection",
            "The policy wants other banks than the one that the key-broker protocol quotes",
            expected: policy.selection.text, found: KeyBrokerEvidence.selection.text,
            remedy: "Give machines whose key-broker clients attest a policy of the SHA-256 bank")
    }
}
