internal import CarnetEvidence
internal import Cryptography
internal import MeasurementLogs
internal import TPM2

extension ReplayedEventLog {
    /// What the log itself says is wrong in the quoted PCRs of the firmware, 0 to 7: an error separator, data that is not what was
    /// measured where the specification binds it, and in PCR 7 events that do not belong there.
    ///
    /// Types and data are the attester's to choose. In PCR 7, whose events state whether Secure Boot is on, only types are allowed
    /// whose data the digest binds: so no event in it can be called something else to hide what it says.
    func firmwareFindings(pcrs: Set<Int>) -> [Finding] {
        var findings: [Finding] = []
        for event in log.events where event.pcr < 8 && pcrs.contains(event.pcr) && event.isMeasured {
            if let finding = finding(about: event) { findings.append(finding) }
        }
        return findings
    }

    private func finding(about event: Event) -> Finding? {
        if event.pcr == 7, !EventType.allowedInPCR7.contains(event.untrustedType) {
            return finding(
                "event-type", event, "An event of type \(event.untrustedType) does not belong into PCR 7",
                remedy: "Send the log as the kernel gives it; if it is, something else than the firmware extended PCR 7"
            )
        }
        switch event.untrustedType {
        case .separator:
            guard !isOrdinarySeparator(event) else { return nil }
            return finding(
                "firmware-error", event,
                "The firmware measured an error into PCR \(event.pcr) instead of a separator",
                expected: "00000000 or ffffffff", remedy: "Look at the firmware's own log of this machine")
        case let type where EventType.bound.contains(type):
            if !isBound(event), !isShimAuthority(event) {
                return finding(
                    "event-data", event,
                    "The log's content of event \(event.index), \(event.summary(in: bank)), is not what was measured",
                    remedy: "Send the log as the kernel gives it; if it is, report the firmware to its maker")
            }
            guard type == .efiAction, event.pcr == 7, event.untrustedData.starts(with: "UEFI Debug Mode".utf8) else {
                return nil
            }
            return finding(
                "firmware-debug", event, "The firmware can be debugged, so nothing that it measured is worth its word",
                remedy: "Switch off debugging in the firmware's setup")
        default: return nil
        }
    }

    private func finding(
        _ rule: String, _ event: Event, _ description: String, expected: String? = nil, remedy: String
    ) -> Finding {
        Finding(
            .policyViolation, rule: rule, bank: bank.description, pcr: event.pcr, event: event.index, description,
            expected: expected, remedy: remedy)
    }

    private func isBound(_ event: Event) -> Bool {
        guard let hash = bank.hash, let digest = event.digest(in: bank) else { return false }
        return hash.hash(event.untrustedData).elementsEqual(digest)
    }

    /// PC Client Platform Firmware Profile 1.06 §10.4.1: four bytes of zeros or of ones, and the digest is theirs.
    private func isOrdinarySeparator(_ event: Event) -> Bool {
        let data = event.untrustedData
        return data.count == 4 && (data.allSatisfy { $0 == 0 } || data.allSatisfy { $0 == 0xFF })
            && isBound(event)
    }

    /// Older releases of shim log one byte more than they measure of the certificate that they verified with: seen in logs of
    /// machines with Canonical's shim. All but that byte is bound.
    private func isShimAuthority(_ event: Event) -> Bool {
        guard event.untrustedType == .efiVariableAuthority, let hash = bank.hash, let digest = event.digest(in: bank)
        else { return false }
        return hash.hash(event.untrustedData.dropLast()).elementsEqual(digest)
    }
}

extension EventType {
    /// The types whose digest is of their data, in every firmware (PC Client Platform Firmware Profile 1.06 §10.4.1). Not among them
    /// are EV_EFI_VARIABLE_BOOT and its successor: what of the variable is measured differs from firmware to firmware.
    static let bound: Set<EventType> = [
        .action, .sCRTMVersion, .efiVariableDriverConfig, .efiGPTEvent, .efiAction, .efiVariableAuthority,
        spdmDevicePolicy, spdmDeviceAuthority,
    ]

    /// EV_EFI_SPDM_DEVICE_POLICY and EV_EFI_SPDM_DEVICE_AUTHORITY: variables of device authentication, in PCR 7.
    private static let spdmDevicePolicy = EventType(rawValue: 0x8000_00E3)
    private static let spdmDeviceAuthority = EventType(rawValue: 0x8000_00E4)

    /// What firmware and shim measure into PCR 7 (§3.3.4.8): Secure Boot's variables, who verified an image, and how the firmware is
    /// set up. The data of each is bound.
    static let allowedInPCR7: Set<EventType> = [
        .efiVariableDriverConfig, .efiVariableAuthority, .efiAction, .separator, spdmDevicePolicy, spdmDeviceAuthority,
    ]
}
