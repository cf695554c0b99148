public import CarnetEvidence
internal import CarnetResult
public import MeasurementLogs
internal import StrictEncoding
internal import TPM2

/// Measures authentic evidence against a policy. Pure: the same evidence and policy give the same outcome.
public struct Appraiser: Sendable {
    public let policy: Policy?
    private let templates: [PCRTemplate]

    /// An appraiser under a policy; without one nothing is ever affirmed.
    ///
    /// - Parameter templates: What was uploaded for policies that accept templates.
    public init(policy: Policy?, templates: [PCRTemplate] = []) {
        self.policy = policy
        self.templates = policy?.acceptsTemplates == true ? templates : []
    }

    /// SHA-256 of the text of each template that is looked at, in the order in which they are.
    public var templateDigests: [[UInt8]] { templates.map(\.digest) }

    /// Appraises a quote that was authenticated.
    ///
    /// - Parameter now: Seconds since 1970: reference values count in their windows only.
    /// - Parameter checkpoint: How far the machine's list of files was verified in this boot, under this policy.
    public func appraise(
        _ quote: AuthenticatedQuote, at now: Int64, ima checkpoint: IMACheckpoint? = nil
    ) -> AppraisalOutcome {
        guard let policy else { return .verdict(.withoutPolicy(quote)) }
        guard policy.missingReferences.isEmpty else { return .broken([.missingReferences(policy)]) }
        guard quote.pcrs.selection.bytes == policy.selection.bytes else {
            return .broken([.outdatedSelection(quote.pcrs.selection, policy)])
        }
        return judge(quote, policy, now, checkpoint)
    }

    /// Says what this policy would say of evidence that was collected for another: a quote of more PCRs than it wants is enough.
    public func rehearse(_ quote: AuthenticatedQuote, at now: Int64) -> AppraisalOutcome {
        guard let policy else { return .verdict(.withoutPolicy(quote)) }
        guard policy.missingReferences.isEmpty else { return .broken([.missingReferences(policy)]) }
        for bank in policy.banks {
            for pcr in bank.rules.keys.sorted() where quote.pcrs.value(ofPCR: pcr, in: bank.algorithm) == nil {
                return .broken([.notCollected(pcr, bank.algorithm)])
            }
        }
        return judge(quote, policy, now, nil)
    }

    private func judge(
        _ quote: AuthenticatedQuote, _ policy: Policy, _ now: Int64, _ checkpoint: IMACheckpoint?
    ) -> AppraisalOutcome {
        let log: MeasuredLog?
        switch MeasuredLog.read(quote, policy) {
        case .success(let read): log = read
        case .failure(let broken): return .broken([broken.finding])
        }
        var judgement = Judgement()
        let held = templates.filter { $0.holds(quote.pcrs.value, at: now) }
        for bank in policy.banks {
            let replay = log?.replays[bank.algorithm]
            for (pcr, rule) in bank.rules.sorted(by: { $0.key < $1.key }) {
                guard let value = quote.pcrs.value(ofPCR: pcr, in: bank.algorithm), pcr != policy.ima?.pcr else {
                    continue
                }
                let check = PCRCheck(
                    bank: bank.algorithm, pcr: pcr, value: value, rule: rule, replay: replay, now: now)
                let isHeld = rule != .ignore && held.contains { $0.names(pcr, bank.algorithm) }
                if let finding = check.explanation(required: policy.requiresEventLog, isHeld: isHeld) {
                    judgement.broken.append(finding)
                }
                let comparison = isHeld ? nil : check.comparison
                if let comparison { judgement.violations.append(comparison) }
                if rule != .ignore {
                    judgement.matches[pcr] = (judgement.matches[pcr] ?? true) && comparison == nil
                }
            }
        }
        // Of a log that explains nothing there is nothing to tell.
        let boots = judgement.broken.isEmpty ? log?.replays.mapValues(MeasuredBoot.init) ?? [:] : [:]
        judgeFirmware(policy, quote, log, boots, &judgement)
        let (next, coveredByteCount) = judgeFiles(policy, quote, checkpoint, &judgement)
        guard judgement.broken.isEmpty else { return .broken(judgement.broken.told) }
        judgeBoot(policy, boots, &judgement, now)
        let explained = log?.explains(quote.pcrs, except: policy.ima?.pcr) ?? false
        let findings = judgement.violations + judgement.warnings
        return .verdict(
            Verdict(
                status: judgement.status, vector: .appraised(judgement, isExplained: explained),
                depth: !explained ? .pcrs : judgement.filesAreAllowed == nil ? .eventLog : .eventLogAndIMA,
                policyID: policy.identifier, findings: (findings + judgement.remarks).told,
                attesterClaims: quote.attesterClaims(log, boots, findings),
                banks: quote.pcrs.banks.map(\.description), phases: quote.phases(log, boots),
                templateIDs: held.map(\.identifier), imaCheckpoint: next,
                imaCoveredByteCount: coveredByteCount, stateSelection: policy.stateSelection))
    }

    /// What is wrong or odd about the log itself, in every bank; remarks, which are of the same events, are told of the first.
    private func judgeFirmware(
        _ policy: Policy, _ quote: AuthenticatedQuote, _ log: MeasuredLog?, _ boots: [TPM.AlgorithmID: MeasuredBoot],
        _ judgement: inout Judgement
    ) {
        for (number, bank) in policy.banks.enumerated() {
            guard let boot = boots[bank.algorithm], let replay = log?.replays[bank.algorithm] else { continue }
            let pcrs = Set(bank.rules.keys)
            let explained = pcrs.filter { quote.pcrs.value(ofPCR: $0, in: bank.algorithm) == replay.value(ofPCR: $0) }
            var findings = FirmwareFindings(boot, replay.log, pcrs: pcrs, explained: explained)
            if number > 0 { findings.remarks = [] }
            judgement.add(findings)
        }
    }

    /// The rules about the files that ran.
    ///
    /// - Returns: What the next part of the list may go on from. While something is wrong with an entry there is none: the machine sends
    ///   the whole list again, and what is wrong is found again.
    private func judgeFiles(
        _ policy: Policy, _ quote: AuthenticatedQuote, _ checkpoint: IMACheckpoint?, _ judgement: inout Judgement
    ) -> (IMACheckpoint?, coveredByteCount: Int?) {
        guard let rules = policy.ima, let bank = policy.banks.first?.algorithm else { return (nil, nil) }
        switch IMAAppraisal(rules: rules, bank: bank, checkpoint: checkpoint).appraise(quote) {
        case .broken(let finding): judgement.broken.append(finding)
        case .absent: break
        case .withheld(let finding): judgement.warnings.append(finding)
        case .appraised(let unknown, let violations, let next, let coveredByteCount):
            judgement.add(unknown, rules.others, pcr: rules.pcr)
            judgement.add(violations, rules.violations, pcr: rules.pcr)
            let isClean = unknown.isEmpty && violations.isEmpty
            judgement.filesAreAllowed = isClean && rules.others == .refuse
            return (isClean ? next : nil, coveredByteCount)
        }
        return (nil, nil)
    }

    /// The rules about the boot and its components, in the first bank that is quoted: the digests of the others are of the same events.
    private func judgeBoot(
        _ policy: Policy, _ boots: [TPM.AlgorithmID: MeasuredBoot], _ judgement: inout Judgement, _ now: Int64
    ) {
        guard policy.boot != .none || !policy.components.isEmpty,
            let measured = policy.banks.first.flatMap({ boots[$0.algorithm] })
        else { return }
        let findings = BootFindings(boot: measured, now: now)
        let boot = findings.boot(policy.boot)
        judgement.violations += boot
        if policy.boot.secureBoot != .any { judgement.matches[7] = !boot.contains { $0.pcr == 7 } }
        for rule in policy.components {
            judgement.add(findings.components(rule), rule.others, pcr: rule.componentClass.pcr)
        }
    }
}

extension Verdict {
    /// Default deny: authentic, and nothing to measure it by.
    static func withoutPolicy(_ quote: AuthenticatedQuote) -> Verdict {
        let finding = Finding(
            .policyViolation, rule: "no-policy", "No policy is active, so nothing can be affirmed",
            remedy: "Activate a policy with `carnet policy activate`, or start the verifier with --policy")
        return Verdict(
            status: .none, vector: TrustworthinessVector(), depth: .pcrs, policyID: nil, findings: [finding],
            attesterClaims: quote.attesterClaims(nil, [:], []), banks: quote.pcrs.banks.map(\.description))
    }
}

extension Finding {
    /// A check that cannot run has failed.
    static func missingReferences(_ policy: Policy) -> Finding {
        Finding(
            .brokenEvidenceChain, rule: "reference-missing",
            "Sets of reference values that the policy names are not here",
            expected: policy.missingReferences.map(\.description).joined(separator: ", "),
            remedy: "Push them with `carnet reference push`")
    }

    static func notCollected(_ pcr: Int, _ bank: TPM.AlgorithmID) -> Finding {
        Finding(
            .brokenEvidenceChain, rule: "pcr-selection", bank: bank.description, pcr: pcr,
            "The kept evidence has no PCR \(pcr) of \(bank), which the policy wants",
            remedy:
                "What the machine will send then cannot be known now: try the policy on one machine by a label first")
    }

    static func outdatedSelection(_ selection: TPM.PCRSelectionList, _ policy: Policy) -> Finding {
        Finding(
            .brokenEvidenceChain, rule: "pcr-selection", "The policy changed since the challenge and wants other PCRs",
            expected: policy.selection.text, found: selection.text, remedy: "Ask for a new session and quote again")
    }
}

extension AuthenticatedQuote {
    /// The phases of the boot, where a runtime log came and every quoted bank that has PCR 11 is explained by the same ones.
    func phases(_ log: MeasuredLog?, _ boots: [TPM.AlgorithmID: MeasuredBoot]) -> [String]? {
        guard let log else { return nil }
        var found: [String]?
        for (bank, replay) in log.replays where replay.log.runtime != nil {
            guard let value = pcrs.value(ofPCR: MeasuredBoot.phasePCR, in: bank) else { continue }
            guard value == replay.value(ofPCR: MeasuredBoot.phasePCR), let phases = boots[bank]?.phases(replay),
                phases == found ?? phases
            else { return nil }
            found = phases
        }
        return found
    }

    /// What may be stated about the attester: from the signed structure, and from the log where a quoted PCR confirms it and no finding
    /// says that its events are not what they are called.
    func attesterClaims(
        _ log: MeasuredLog?, _ boots: [TPM.AlgorithmID: MeasuredBoot], _ violations: [Finding]
    ) -> AttesterClaims {
        var claims = AttesterClaims(resetCount: counters.resetCount)
        claims.tpmFirmware = Hexadecimal.encode(
            (0..<8).map { UInt8(truncatingIfNeeded: firmwareVersion >> UInt64(56 - 8 * $0)) })
        let isDoubtful = violations.contains { $0.pcr == 7 && $0.rule != "pcr-value" }
        guard let log, !isDoubtful else { return claims }
        let states = log.replays.filter { pcrs.value(ofPCR: 7, in: $0.key) == $0.value.value(ofPCR: 7) }
            .map { boots[$0.key]?.secureBoot ?? .unknown }
        // Where several banks are quoted, each has to say the same.
        if !states.isEmpty {
            if states.allSatisfy({ $0 == .enabled }) { claims.secureBoot = true }
            if states.allSatisfy({ $0 == .disabled }) { claims.secureBoot = false }
        }
        return claims
    }
}
