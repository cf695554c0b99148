internal import Cryptography
internal import TPM2

/// PCRs 0 to 5: the firmware, its configuration, what it loaded, and how it was left.
extension MeasuredBootReader {
    func readFirmware(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ content: MeasuredContent, _ boot: inout MeasuredBoot
    ) {
        if case .data(let data) = content {
            if event.untrustedType == .sCRTMVersion, boot.firmwareVersion == nil, boot.separators[0] == nil {
                boot.firmwareVersion = MeasuredText(
                    event: event.index, pcr: 0, text: String(untrustedUTF16: data), untrustedLabel: nil)
            }
            // No code is as short as a version. Longer bytes may be code that the log shows, so that it is not asked about.
            if data.count <= 256 { return }
        }
        reportIfChanged(event, content, &boot)
        addObject(event, digest, .firmware, &boot)
    }

    /// Variables of boot entries are measured without their names, or with them: both are known.
    func readConfiguration(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ content: MeasuredContent, _ hash: borrowing RepeatedHash,
        _ boot: inout MeasuredBoot
    ) {
        let type = event.untrustedType
        switch content {
        case .variable where type == .efiVariableBoot:
            boot.quirks.append(Quirk(kind: .wholeBootVariable, event: event.index))
        case .opaque, .shimAuthority:
            guard type == .efiVariableBoot || type == .efiVariableBoot2 else {
                reportIfChanged(event, &boot)
                return addObject(event, digest, .other, &boot)
            }
            if let variable = UEFIVariable(parsing: event.untrustedData), hash.covers(variable.data, digest: digest) {
                if type == .efiVariableBoot2 {
                    boot.quirks.append(Quirk(kind: .bareBootVariable, event: event.index))
                }
            } else {
                boot.irregularities.append(.init(kind: .unexplainedBootVariable, pcr: event.pcr, event: event.index))
            }
        default: break
        }
    }

    /// PCRs 2 and 4: everything is code, whatever it is called, but the short texts of the firmware's actions. What an image's digest covers
    /// can be shown in a log like any data, and would be passed over if showing it were enough.
    func readCode(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ content: MeasuredContent, _ role: MeasuredObject.Role,
        _ boot: inout MeasuredBoot
    ) {
        if case .data(let data) = content, data.count <= 128, data.allSatisfy({ (0x20...0x7E).contains($0) }) { return }
        reportIfChanged(event, content, &boot)
        addObject(event, digest, role, &boot)
    }

    /// PCR 5: partitions, and the firmware's last words (PC Client Platform Firmware Profile 1.06 §3.3.4.6, §8).
    func readBootManager(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ content: MeasuredContent, _ boot: inout MeasuredBoot
    ) {
        switch content {
        case .data(let data):
            if data.elementsEqual("Exit Boot Services Invocation".utf8) {
                boot.exitBootServicesInvocation = boot.exitBootServicesInvocation ?? event.index
            } else if data.elementsEqual("Exit Boot Services Returned with Success".utf8) {
                boot.exitBootServicesSuccess = boot.exitBootServicesSuccess ?? event.index
            }
        case .opaque, .shimAuthority:
            reportIfChanged(event, &boot)
            addObject(event, digest, .file, &boot)
        default: break
        }
    }

    /// The same, for content that was looked at. What only shim measures, one byte less than it logs, belongs into PCR 7.
    private func reportIfChanged(_ event: Event, _ content: MeasuredContent, _ boot: inout MeasuredBoot) {
        switch content {
        case .opaque, .shimAuthority: reportIfChanged(event, &boot)
        default: break
        }
    }

    /// A type that demands covered data, over a digest that does not cover it.
    func reportIfChanged(_ event: Event, _ boot: inout MeasuredBoot) {
        switch event.untrustedType {
        case .action, .efiAction, .sCRTMVersion, .efiVariableDriverConfig, .efiVariableAuthority, .efiGPTEvent,
            .efiGPTEvent2, .efiSPDMDevicePolicy, .efiSPDMDeviceAuthority, .omitBootDeviceEvents:
            boot.irregularities.append(.init(kind: .changedData, pcr: event.pcr, event: event.index))
        default: break
        }
    }
}
