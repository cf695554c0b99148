internal import CarnetEvidence
internal import MeasurementLogs
internal import TPM2

/// What a log itself says is wrong or odd about a boot, in the quoted PCRs.
///
/// Types and data are the attester's to choose; order and digests are not. So ``MeasuredBoot`` tells separators, errors and Secure Boot's
/// variables by their digests and by data that the digest covers, and this tells what it found: there is no second look at the events.
/// What is worth what is said at ``Irregularity/weight``. Known deviations that were read around are remarks.
struct FirmwareFindings {
    private let boot: MeasuredBoot
    private let log: EventLog
    private(set) var violations: [Finding] = []
    /// One for each kind and PCR, which names the first event.
    var remarks: [Finding] = []

    /// The most violations that are told of one PCR; a machine with more has the same verdict.
    private static let maximumFindingCount = 20

    /// What is wrong or odd.
    ///
    /// - Parameters:
    ///   - pcrs: Where something can be wrong: the quoted PCRs.
    ///   - explained: Where something can be odd: the PCRs whose quoted values the log leads to. Of others it tells nothing.
    init(_ boot: MeasuredBoot, _ log: EventLog, pcrs: Set<Int>, explained: Set<Int>) {
        self.boot = boot
        self.log = log
        var remarks = BootRemarks(), counts: [Int: Int] = [:], last: Int?
        for irregularity in boot.irregularities {
            switch irregularity.weight {
            case .violation where pcrs.contains(irregularity.pcr):
                // One finding an event: its first reason is the weightiest.
                guard irregularity.event == nil || irregularity.event != last else { continue }
                last = irregularity.event
                counts[irregularity.pcr, default: 0] += 1
                guard counts[irregularity.pcr, default: 0] <= Self.maximumFindingCount else { continue }
                violations.append(violation(irregularity))
            case .remark where explained.contains(irregularity.pcr):
                remarks.add(irregularity.kind.remark, irregularity.pcr, irregularity.event)
            case .violation, .remark: break
            }
        }
        for quirk in boot.quirks {
            let pcr = log[quirk.event].pcr
            if explained.contains(pcr) { remarks.add(quirk.kind.remark, pcr, quirk.event) }
        }
        self.remarks = remarks.sorted.map { finding(.remark, $0.remark, $0.pcr, $0.event, count: $0.count) }
    }

    private func violation(_ irregularity: Irregularity) -> Finding {
        let pcr = irregularity.pcr
        guard let event = irregularity.event.map({ log[$0] }) else {
            return finding(.policyViolation, irregularity.kind.remark, pcr, nil)
        }
        let name = "event \(event.index), \(event.summary(in: boot.bank))"
        var finding = Finding(
            .policyViolation, rule: "event-type", bank: boot.bank.description, pcr: pcr, event: event.index, "",
            remedy: "Send the log as the kernel gives it; if it is, something else than the firmware extended this PCR")
        switch irregularity.kind {
        case .errorSeparator:
            finding.rule = "firmware-error"
            finding.description = "The firmware measured an error into PCR \(pcr) instead of a separator"
            finding.expected = "00000000 or ffffffff"
            finding.remedy = "Look at the firmware's own log of this machine"
        case .mislabelledSeparator:
            finding.description = "A separator is called \(event.untrustedType) in PCR \(pcr)"
        case .secondSeparator: finding.description = "PCR \(pcr) has a second separator"
        case .alienType:
            finding.description = "Nobody measures events of type \(event.untrustedType) into PCR \(pcr): \(name)"
            finding.expected = EventType.known(inPCR: pcr).map(\.description).joined(separator: ", ")
            finding.found = event.untrustedType.description
        case .misplacedData:
            finding.description = "The content of \(name), is of another kind than its type says"
        case .repeatedVariable:
            finding.description =
                "The variable of \(name), was measured before, or comes after the separator of PCR \(pcr)"
            finding.remedy =
                "If keys were changed, restart the machine; if not, something else than the firmware extended this PCR"
        case .debugMode:
            finding.rule = "firmware-debug"
            finding.description = "The firmware can be debugged, so nothing that it measured is worth its word"
            finding.remedy = "Switch off debugging in the firmware's setup"
        default:
            finding.rule = "event-data"
            finding.description = "The log's content of \(name), is not what was measured"
            finding.remedy = "Send the log as the kernel gives it; if it is, report the firmware to its maker"
        }
        return finding
    }

    private func finding(_ family: Finding.Family, _ remark: BootRemark, _ pcr: Int, _ event: Int?, count: Int = 1)
        -> Finding
    {
        let place = event.map { "event \($0)" + (count > 1 ? " and \(count - 1) more" : "") }
        return Finding(
            family, rule: remark.rule, bank: boot.bank.description, pcr: pcr, event: event,
            "PCR \(pcr)\(place.map { ", \($0)" } ?? ""): \(remark.text)", remedy: remark.remedy)
    }
}
