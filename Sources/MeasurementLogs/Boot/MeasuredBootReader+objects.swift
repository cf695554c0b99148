internal import Cryptography
internal import TPM2

/// What the log names and does not show, and what the running system measured.
extension MeasuredBootReader {
    /// A record of systemd's log: text that its digest covers, or an object.
    func readRuntime(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ hash: borrowing RepeatedHash, _ boot: inout MeasuredBoot
    ) {
        guard let record = event.runtimeRecord else { return }
        if let text = record.untrustedText, hash.covers(event.untrustedData, digest: digest) {
            boot.runtimeTexts.append(
                MeasuredText(event: event.index, pcr: event.pcr, text: text, untrustedLabel: record.untrustedKind))
            return
        }
        if record.untrustedText != nil, !record.isKeyed {
            boot.irregularities.append(.init(kind: .changedData, pcr: event.pcr, event: event.index))
        }
        boot.objects.append(
            MeasuredObject(
                event: event.index, pcr: event.pcr, digest: digest, untrustedType: event.untrustedType,
                untrustedName: record.untrustedText, untrustedRole: .other))
    }

    /// Something that the log does not show, with the name that the log gives it.
    func addObject(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ role: MeasuredObject.Role, _ boot: inout MeasuredBoot
    ) {
        var name: String?, role = role
        switch event.untrustedContent {
        case .image(let image): name = image.filePath
        case .tagged(let tagged):
            name = tagged.text
            switch tagged.tag {
            case .linuxInitrd, .systemdInitrdAddon: role = .initrd
            case .linuxLoadOptions: role = .loadOptions
            default: break
            }
        case .text(let text), .action(let text): name = text
        case .firmwareBlob(let blob): name = blob.description.isEmpty ? nil : blob.description
        case .variable(let variable): name = variable.name
        default: break
        }
        boot.objects.append(
            MeasuredObject(
                event: event.index, pcr: event.pcr, digest: digest, untrustedType: event.untrustedType,
                untrustedName: name, untrustedRole: role))
    }
}
