internal import CarnetEvidence
internal import MeasurementLogs
internal import StrictEncoding
internal import TPM2

/// One quoted PCR against its rule and against the log.
struct PCRCheck {
    let bank: TPM.AlgorithmID
    let pcr: Int
    let value: [UInt8]
    let rule: Policy.Rule
    let replay: ReplayedEventLog?
    /// Seconds since 1970: values outside of their window do not count.
    let now: Int64

    private var allowed: [[UInt8]] {
        guard case .values(let values) = rule else { return [] }
        return values.filter { $0.window.contains(now) }.map(\.bytes)
    }

    /// A quoted PCR is explained by the log from its start value; where the log is optional, an allowed value is enough, be it a template's.
    func explanation(required: Bool, isHeld: Bool) -> Finding? {
        guard let replay else {
            return rule == .ignore ? unexplained("is ignored by the policy, and no log explains it", event: nil) : nil
        }
        guard replay.value(ofPCR: pcr) != value else { return nil }
        if !required, isHeld || allowed.contains(value) { return nil }
        guard let last = replay.lastEvent(ofPCR: pcr) else {
            return unexplained("has been extended, and the log has no event for it", event: nil)
        }
        return unexplained(
            "is not what the log explains: after its last event, number \(last.index) (\(last.summary(in: bank))), it should hold another value",
            event: last.index)
    }

    /// An allowed value, or the event that made it another.
    var comparison: Finding? {
        guard case .values(let values) = rule else { return nil }
        let allowed = allowed
        guard !allowed.contains(value) else { return nil }
        let early = values.first { $0.bytes == value }
        var finding = Finding(
            .policyViolation, rule: "pcr-value", bank: bank.description, pcr: pcr,
            "PCR \(pcr) (\(Self.role(pcr))) does not hold an allowed value",
            expected: allowed.map { Hexadecimal.encode($0) }.joined(separator: " or "),
            found: Hexadecimal.encode(value),
            remedy: early == nil
                ? "If the change was intended, add the found value to the policy; if not, look at what was loaded"
                : "The value is in the policy, and its time is not now: change its window, or the machine")
        guard let replay, replay.value(ofPCR: pcr) == value else { return finding }
        if let event = replay.firstEvent(leaving: allowed, pcr: pcr) {
            finding.event = event.index
            finding.description +=
                ": event \(event.index), \(event.summary(in: bank)), moved it away from an allowed value"
        } else if let last = replay.lastEvent(ofPCR: pcr) {
            finding.event = last.index
            finding.description +=
                ": no event of the \(replay.eventCount(ofPCR: pcr)) in the log led to an allowed value; the last is \(last.index), \(last.summary(in: bank))"
        }
        return finding
    }

    private func unexplained(_ what: String, event: Int?) -> Finding {
        Finding(
            .brokenEvidenceChain, rule: "pcr-unexplained", bank: bank.description, pcr: pcr, event: event,
            "PCR \(pcr) (\(Self.role(pcr))) \(what)", expected: replay.map { Hexadecimal.encode($0.value(ofPCR: pcr)) },
            found: Hexadecimal.encode(value),
            remedy:
                "Send the complete log of this boot; if it is complete, something extended the PCR behind the firmware's back"
        )
    }

    /// What a PCR measures (PC Client Platform Firmware Profile 1.06 §3.3.4; UAPI.7 TPM2 PCR measurements).
    static func role(_ pcr: Int) -> String {
        switch pcr {
        case 0: "firmware code"
        case 1: "firmware configuration"
        case 2: "option ROMs"
        case 3: "option ROM configuration"
        case 4: "boot loaders"
        case 5: "boot configuration and partitions"
        case 6: "platform specific"
        case 7: "Secure Boot"
        case 8: "boot commands"
        case 9: "files that the boot loader read"
        case 10: "IMA"
        case 11: "unified kernel image"
        case 12: "kernel command line and overrides"
        case 13: "system extensions"
        case 14: "shim's keys"
        default: "system identity"
        }
    }
}
