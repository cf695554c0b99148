internal import Cryptography

/// PCRs 8 to 12: what boot loaders ran and loaded.
extension MeasuredBootReader {
    /// GRUB's commands: the text after the label, with or without the zero that ends it.
    func readCommand(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ hash: borrowing RepeatedHash, _ boot: inout MeasuredBoot
    ) {
        guard let command = GRUBCommand(parsing: event.untrustedData) else {
            return addObject(event, digest, .other, &boot)
        }
        let withZero = event.untrustedData.suffix(from: command.measuredText.startIndex)
        let isPlain = hash.covers(command.measuredText, digest: digest)
        guard isPlain || hash.covers(withZero, digest: digest) else {
            boot.irregularities.append(.init(kind: .changedData, pcr: 8, event: event.index))
            return addObject(event, digest, .other, &boot)
        }
        if !isPlain { boot.quirks.append(Quirk(kind: .grubTrailingZero, event: event.index)) }
        boot.commands.append(
            MeasuredText(
                event: event.index, pcr: 8, text: String(decoding: command.measuredText, as: UTF8.self),
                untrustedLabel: command.untrustedLabel))
    }

    /// systemd's command lines: the UTF-16 text, without the zero that ends it.
    func readCommandLine(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ hash: borrowing RepeatedHash, _ boot: inout MeasuredBoot
    ) {
        let data = event.untrustedData
        let bare = data.suffix(2).elementsEqual([0, 0]) && data.count % 2 == 0 ? data.dropLast(2) : data
        // Behind a zero there is more than a command line: the whole is an object then.
        guard !bare.hasUTF16Zero else { return addObject(event, digest, .override, &boot) }
        let isBare = hash.covers(bare, digest: digest)
        guard isBare || hash.covers(data, digest: digest) else { return addObject(event, digest, .override, &boot) }
        if !isBare { boot.quirks.append(Quirk(kind: .commandLineTrailingZero, event: event.index)) }
        boot.commandLines.append(
            MeasuredText(event: event.index, pcr: 12, text: String(untrustedUTF16: bare), untrustedLabel: nil))
    }

    /// systemd-stub's pairs: the section's name in ASCII with its zero, then its content (systemd, TPM2 PCR measurements).
    mutating func readSection(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ hash: borrowing RepeatedHash, _ boot: inout MeasuredBoot
    ) {
        if let pending = pendingSection {
            boot.sections.append(MeasuredSection(name: pending.name, event: event.index, digest: digest))
            pendingSection = nil
            return
        }
        // The label is tried first because it is nearly always right; a false one hides no section of the specification.
        let label = String(untrustedIPL: event.untrustedData)
        for name in [label] + PEImage.measuredSections where name.hasPrefix(".") {
            let measured = Array(name.utf8) + [0]
            guard hash.covers(measured[...], digest: digest) else { continue }
            pendingSection = (name, event.index)
            return
        }
        addObject(event, digest, .other, &boot)
    }

    /// A name without content is an object of PCR 11: what was measured behind it may be in another log, and must not go unseen.
    mutating func endSection(_ boot: inout MeasuredBoot) {
        guard let pending = pendingSection else { return }
        let event = replay.log[pending.event]
        if let digest = event.digest(in: bank) { addObject(event, digest, .other, &boot) }
        boot.irregularities.append(.init(kind: .incompleteSection, pcr: 11, event: pending.event))
        pendingSection = nil
    }

    /// GRUB's commands name kernel and initrd; the files of these names in PCR 9 are probably they.
    func assignRoles(_ boot: inout MeasuredBoot) {
        var roles: [String: MeasuredObject.Role] = [:]
        for command in boot.commands {
            let text = command.text.utf8
            guard text.starts(with: "linux".utf8) || text.starts(with: "initrd".utf8) else { continue }
            let words = text.split(separator: UInt8(ascii: " ")).map { String($0) ?? "" }
            switch words.first {
            case "linux", "linuxefi", "linux16": if words.count > 1 { roles[words[1]] = .kernel }
            case "initrd", "initrdefi", "initrd16": for file in words.dropFirst() { roles[file] = .initrd }
            default: break
            }
        }
        guard !roles.isEmpty else { return }
        for index in boot.objects.indices where boot.objects[index].pcr == 9 {
            guard boot.objects[index].untrustedRole == .file, let name = boot.objects[index].untrustedName else {
                continue
            }
            if let role = roles[name] { boot.objects[index].untrustedRole = role }
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether one of its 16-bit units is zero.
    fileprivate var hasUTF16Zero: Bool {
        (0..<count / 2).contains { self[startIndex + 2 * $0] == 0 && self[startIndex + 2 * $0 + 1] == 0 }
    }
}
