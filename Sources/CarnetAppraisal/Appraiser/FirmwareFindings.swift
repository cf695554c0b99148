internal import CarnetEvidence
internal import Cryptography
internal import MeasurementLogs
internal import TPM2

/// What the log itself says is wrong in the quoted PCRs of the firmware, 0 to 7.
///
/// Types and data are the attester's to choose; order and digests are not. So separators and errors are told by their digests in every
/// PCR, and in PCR 7, whose events state whether Secure Boot is on, everything is told by data that the digest covers: no event in it
/// can be called something else to hide what it says.
struct FirmwareFindings {
    private let bank: TPM.AlgorithmID
    private var separated: Set<Int> = []
    private(set) var findings: [Finding] = []

    /// Looks at every event of `pcrs` below 8.
    init(_ replay: ReplayedEventLog, _ secureBoot: SecureBootMeasurements, pcrs: Set<Int>) {
        bank = replay.bank
        guard let algorithm = bank.hash else { return }
        let hash = RepeatedHash(algorithm), looksAt = (0..<7).map(pcrs.contains)
        for event in replay.log.events where event.pcr < 7 && looksAt[event.pcr] && event.isMeasured {
            if let finding = separator(event) ?? bound(event, hash) { findings.append(finding) }
        }
        guard pcrs.contains(7) else { return }
        for (event, content) in secureBoot.events {
            if let finding = separator(event) ?? statement(event, content) { findings.append(finding) }
        }
    }

    /// What is wrong about a separator, an error, or an event that is one under another name.
    private mutating func separator(_ event: Event) -> Finding? {
        // Of a boot variable firmware measures the value alone, and a list of boot entries may have the digest of a separator.
        if event.pcr == 1, event.untrustedType == .efiVariableBoot, event.binding(in: bank) == .bound { return nil }
        switch event.isSeparator(in: bank) {
        case nil where event.untrustedType != .separator: return nil
        case nil, .error:
            return finding(
                "firmware-error", event,
                "The firmware measured an error into PCR \(event.pcr) instead of a separator",
                expected: "00000000 or ffffffff", remedy: "Look at the firmware's own log of this machine")
        case .ordinary:
            guard event.untrustedType == .separator, event.binding(in: bank) == .bound else {
                return finding(
                    "event-type", event, "A separator is called \(event.untrustedType) in PCR \(event.pcr)",
                    remedy: Self.sendAsGiven)
            }
            guard separated.insert(event.pcr).inserted else {
                return finding(
                    "event-type", event, "PCR \(event.pcr) has a second separator", remedy: Self.sendAsGiven)
            }
            return nil
        }
    }

    /// Data that must be what was measured, and is not.
    private func bound(_ event: Event, _ hash: borrowing RepeatedHash) -> Finding? {
        guard event.untrustedType.bindsData, let digest = event.digest(in: bank),
            !hash.covers(event.untrustedData, digest: digest)
        else { return nil }
        return changed(event)
    }

    /// PCR 7: Secure Boot's variables, a separator, then who verified each image; and how the firmware is set up.
    private func statement(_ event: Event, _ content: MeasuredContent) -> Finding? {
        let isOver = separated.contains(7), type = event.untrustedType
        guard type.isAllowedInPCR7 else { return misplaced(event) }
        switch content {
        case .separator: return nil
        case .variable(let variable):
            return type.isVariableInPCR7 && !(isOver && variable.isSecureBoot)
                ? nil : misplaced(event)
        case .shimAuthority:
            // Shim runs after the separator.
            return isOver && type == .efiVariableAuthority ? nil : changed(event)
        case .data(let data):
            if data.starts(with: "UEFI Debug Mode".utf8) {
                return finding(
                    "firmware-debug", event,
                    "The firmware can be debugged, so nothing that it measured is worth its word",
                    remedy: "Switch off debugging in the firmware's setup")
            }
            return type == .efiAction ? nil : misplaced(event)
        case .errorSeparator, .opaque: return changed(event)
        }
    }

    private static let sendAsGiven =
        "Send the log as the kernel gives it; if it is, something else than the firmware extended this PCR"

    private func misplaced(_ event: Event) -> Finding {
        finding(
            "event-type", event, "An event of type \(event.untrustedType) with this content does not belong into PCR 7",
            remedy: Self.sendAsGiven)
    }

    private func changed(_ event: Event) -> Finding {
        finding(
            "event-data", event,
            "The log's content of event \(event.index), \(event.summary(in: bank)), is not what was measured",
            remedy: "Send the log as the kernel gives it; if it is, report the firmware to its maker")
    }

    private func finding(
        _ rule: String, _ event: Event, _ description: String, expected: String? = nil, remedy: String
    ) -> Finding {
        Finding(
            .policyViolation, rule: rule, bank: bank.description, pcr: event.pcr, event: event.index, description,
            expected: expected, remedy: remedy)
    }
}

extension EventType {
    /// Whether the digest is of the data, in every firmware (PC Client Platform Firmware Profile 1.06 §10.4.1). It is not for
    /// EV_EFI_VARIABLE_BOOT and its successor: what of the variable is measured differs from firmware to firmware.
    fileprivate var bindsData: Bool {
        switch self {
        case .action, .sCRTMVersion, .efiGPTEvent, .efiAction: true
        default: isVariableInPCR7
        }
    }

    /// Whether it is of a variable: Secure Boot's, who verified an image, and (EV_EFI_SPDM_DEVICE_POLICY, EV_EFI_SPDM_DEVICE_AUTHORITY)
    /// those of device authentication (§3.3.4.8).
    fileprivate var isVariableInPCR7: Bool {
        switch self {
        case .efiVariableDriverConfig, .efiVariableAuthority, .init(rawValue: 0x8000_00E3),
            .init(rawValue: 0x8000_00E4):
            true
        default: false
        }
    }

    /// Whether firmware and shim measure such events into PCR 7 (§3.3.4.8).
    fileprivate var isAllowedInPCR7: Bool { isVariableInPCR7 || self == .efiAction || self == .separator }
}
