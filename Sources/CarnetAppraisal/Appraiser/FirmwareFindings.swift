internal import CarnetEvidence
internal import MeasurementLogs
internal import TPM2

extension ReplayedEventLog {
    /// What the firmware itself reports as wrong, in the quoted PCRs 0 to 7: an error separator, or Secure Boot variables whose logged
    /// content is not what was measured.
    func firmwareFindings(pcrs: Set<Int>) -> [Finding] {
        var findings: [Finding] = []
        for event in log.events where event.pcr < 8 && pcrs.contains(event.pcr) && event.isMeasured {
            if event.untrustedType == .separator, !isOrdinarySeparator(event) {
                findings.append(
                    Finding(
                        .policyViolation, rule: "firmware-error", bank: bank.description, pcr: event.pcr,
                        event: event.index,
                        "The firmware measured an error into PCR \(event.pcr) instead of a separator",
                        expected: "00000000 or ffffffff",
                        remedy: "Look at the firmware's own log of this machine"))
            } else if event.pcr == 7, event.binding(in: bank) == .mismatch {
                findings.append(
                    Finding(
                        .policyViolation, rule: "event-data", bank: bank.description, pcr: event.pcr,
                        event: event.index,
                        "The log's content of event \(event.index), \(event.summary(in: bank)), is not what was measured",
                        remedy: "Send the log as the kernel gives it; if it is, report the firmware to its maker"))
            }
        }
        return findings
    }

    /// PC Client Platform Firmware Profile 1.06 §10.4.1: four bytes of zeros or of ones, and the digest is theirs.
    private func isOrdinarySeparator(_ event: Event) -> Bool {
        let data = Array(event.untrustedData)
        return (data == [0, 0, 0, 0] || data == [0xFF, 0xFF, 0xFF, 0xFF]) && event.binding(in: bank) == .bound
    }
}
