internal import CarnetEvidence
internal import Cryptography
internal import MeasurementLogs
internal import StrictEncoding
internal import TPM2

/// The kernel's list of files against a policy: what the quote covers of it, and whether the policy allows it.
struct IMAAppraisal {
    let rules: IMARules
    let bank: TPM.AlgorithmID
    let checkpoint: IMACheckpoint?

    /// What came of it.
    enum Outcome {
        case broken(Finding)
        /// No list came, and none has to: nothing ran that IMA measured.
        case absent
        /// No list came, although there is one.
        case withheld(Finding)
        /// Every covered entry was looked at; the checkpoint is what the next part may go on from, if nothing was found.
        case appraised([Finding], violations: [Finding], IMACheckpoint, coveredByteCount: Int)
    }

    /// The most findings of either kind that are told; a machine with more has the same verdict.
    private static let maximumFindingCount = 50

    func appraise(_ quote: AuthenticatedQuote) -> Outcome {
        guard let sent = quote.ima else {
            guard !rules.isRequired else {
                return .broken(
                    broken(
                        "ima-list-missing", "The policy demands the kernel's list of files, and none came",
                        "Boot with an IMA policy (ima_policy=tcb), and let the agent read the list as root"))
            }
            let value = quote.pcrs.value(ofPCR: rules.pcr, in: bank)
            guard value?.contains(where: { $0 != 0 }) == true else { return .absent }
            return .withheld(
                Finding(
                    .policyViolation, rule: "ima-list-missing", bank: bank.description, pcr: rules.pcr,
                    "The kernel measured files, and its list did not come",
                    remedy: "Let the agent read the list as root"))
        }
        guard let hash = bank.hash, let quoted = quote.pcrs.value(ofPCR: rules.pcr, in: bank) else {
            return .broken(broken("pcr-selection", "PCR \(rules.pcr) is not quoted", "Ask for a new session"))
        }
        let list: IMAList
        do {
            list = try IMAList(parsing: sent.entries, startingAt: sent.offset)
        } catch {
            return .broken(
                broken(
                    "ima-list-unreadable", "The kernel's list of files cannot be read: \(error)",
                    "Send /sys/kernel/security/ima/binary_runtime_measurements as the kernel gives it"))
        }
        let from = sent.offset == 0 ? nil : checkpoint
        switch IMAReplay.match(list, bank: hash, mode: rules.mode, quoted: quoted, pcr: rules.pcr, from: from) {
        case .match(let match): return judge(list, match, quote)
        case .sendWholeList(let reason): return .broken(discontinuity("\(reason)"))
        case .neverReached:
            return .broken(
                broken(
                    "ima-list-replay",
                    "The kernel's list does not lead to the quoted value of PCR \(rules.pcr)",
                    "Send the whole list of this boot; if it is whole, something extended the PCR behind the kernel's back, or it extends this bank otherwise (mode)"
                ))
        case .wrongStatedDigest(let position):
            return .broken(
                broken(
                    "ima-list-replay", "Entry \(position) of the kernel's list states a digest that is not its data's",
                    "Send the list as the kernel gives it"))
        }
    }

    private func judge(_ list: IMAList, _ match: IMAReplay.Match, _ quote: AuthenticatedQuote) -> Outcome {
        var aggregate: IMADigest?
        if list.firstIndex == 0 {
            let outcome = IMABootAggregate.check(list, match) { hash, pcr in
                quote.pcrs.value(ofPCR: pcr, in: TPM.AlgorithmID(hash))
            }
            switch outcome {
            case .matches(let digest, _): aggregate = digest
            case .differs(let found, let expected):
                var finding = broken(
                    "ima-boot-aggregate", "The kernel's list was begun on another boot than the quoted one",
                    "Send the list of this boot")
                finding.expected = Hexadecimal.encode(expected)
                finding.found = found.description
                return .broken(finding)
            case .notCovered(let reason):
                return .broken(
                    broken(
                        "ima-boot-aggregate", "The kernel's list cannot be tied to the quoted boot: \(reason)",
                        "Quote PCR 0 to 9 in the bank of the kernel's hash, and send the whole list"))
            }
        }
        var unknown: [Finding] = [], violations: [Finding] = []
        var unknownCount = 0, violationCount = 0
        for entry in list.entries where match.covers(entry) {
            if unknownCount > Self.maximumFindingCount, !entry.isViolation { continue }
            let verdict = rules.allowList.verdict(of: entry, bootAggregate: aggregate)
            guard !verdict.isAllowed, !verdict.isExcluded else { continue }
            // The two kinds are ruled apart: many of one must not hide the other.
            // Signatures cost much: behind as many findings as are told only violations are looked for.
            if verdict == .violation {
                violationCount += 1
                if violationCount <= Self.maximumFindingCount { violations.append(finding(entry, verdict, list)) }
            } else {
                unknownCount += 1
                if unknownCount <= Self.maximumFindingCount { unknown.append(finding(entry, verdict, list)) }
            }
        }
        if unknownCount > unknown.count {
            unknown.append(further("There are more entries that are not allowed: they were not counted"))
        }
        if violationCount > violations.count {
            let count = violationCount - violations.count
            violations.append(further("\(count) further entries were changed while they were measured"))
        }
        return .appraised(
            unknown, violations: violations, match.checkpoint,
            coveredByteCount: list.byteCount(ofFirst: match.coveredCount))
    }

    /// What is counted and not told one by one.
    private func further(_ what: String) -> Finding {
        Finding(
            .policyViolation, rule: "ima-more", bank: bank.description, pcr: rules.pcr,
            what, remedy: "Begin with those that are named")
    }

    private func finding(_ entry: IMAEntry, _ verdict: IMAVerdict, _ list: IMAList) -> Finding {
        let name = entry.untrustedName
        let number = list.firstIndex + entry.position
        let (rule, what, expected): (String, String, String?) =
            switch verdict {
            case .violation: ("ima-violation", "was changed while it was measured", nil)
            case .wrongDigest(let expected):
                (
                    "ima-digest", "has another content than is allowed",
                    expected.prefix(8).map(\.description).joined(separator: " or ")
                        + (expected.count > 8 ? " or one of \(expected.count - 8) more" : "")
                )
            case .unsigned(let problem): ("ima-signature", "is not signed by an allowed key: \(problem.words)", nil)
            case .weakDigest(let algorithm):
                ("ima-digest", "is measured with \(algorithm.name), which proves nothing", nil)
            case .unreadable(let reason): ("ima-entry", "cannot be read: \(reason)", nil)
            case .ambiguous: ("ima-entry", "may be a file or a buffer, and not both are allowed", nil)
            default: ("ima-unknown", "is not in the allow list", nil)
            }
        return Finding(
            .policyViolation, rule: rule, bank: bank.description, pcr: rules.pcr, event: number,
            "Entry \(number) of the kernel's list, \(name), \(what)", expected: expected,
            found: entry.digestDescription,
            remedy: verdict == .violation
                ? "Find out who wrote to it; where that is usual, `violations: warn` in the policy's ima section tolerates it"
                : "If it was intended, allow it in the policy's ima section; if not, find out who put it there")
    }

    private func broken(_ rule: String, _ description: String, _ remedy: String) -> Finding {
        Finding(
            .brokenEvidenceChain, rule: rule, bank: bank.description, pcr: rules.pcr, description, remedy: remedy)
    }

    private func discontinuity(_ why: String) -> Finding {
        broken(
            "ima-continuity", "The part of the kernel's list does not continue what was verified: \(why)",
            "Send the whole list: the agent does so by itself")
    }
}

extension IMAEntry {
    /// The entry's name for messages.
    fileprivate var untrustedName: String {
        switch content {
        case .file(let file), .ambiguous(let file, _): "\(file.name)"
        case .buffer(let buffer): "\(buffer.name)"
        case .violation(let name): name.map { "which calls itself \($0)" } ?? "without a name that could be believed"
        case .unreadable: "without a name that could be believed"
        }
    }

    fileprivate var digestDescription: String? {
        switch content {
        case .file(let file), .ambiguous(let file, _): file.digest.description
        case .buffer(let buffer): buffer.digest.description
        case .violation, .unreadable: nil
        }
    }
}

extension IMASignatureProblem {
    /// The problem in words.
    fileprivate var words: String {
        switch self {
        case .missing: "it has no signature"
        case .unreadable: "its signature has a form that is not read"
        case .unknownKey(let key): "its signature names the key \(Hexadecimal.encode(key)), which is not listed"
        case .invalid(let key): "its signature is not by the key \(Hexadecimal.encode(key)) over this digest"
        }
    }
}

extension Hexadecimal {
    /// A key's identifier as tools print it.
    fileprivate static func encode(_ identifier: UInt32) -> String {
        encode((0..<4).map { UInt8(truncatingIfNeeded: identifier >> UInt32(24 - 8 * $0)) })
    }
}
