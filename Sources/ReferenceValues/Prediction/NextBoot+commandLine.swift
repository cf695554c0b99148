internal import Cryptography
internal import MeasurementLogs

extension NextBoot {
    /// The kernel's command line becomes another: GRUB's commands in PCR 8, what the kernel got in PCR 9, systemd's in PCR 12, and the
    /// section of a unified kernel image in PCR 11.
    ///
    /// - Parameter new: The arguments, without the kernel's file name that GRUB puts before them.
    /// - Throws: ``NextBootError/notFound(_:)`` when the log shows no command line.
    public mutating func replaceCommandLine(by new: String) throws(NextBootError) {
        let before = changes.count, what = "command line"
        for command in boot.commands {
            guard let count = Self.wordCount(before: command) else { continue }
            let words = command.text.utf8.split(separator: UInt8(ascii: " "), maxSplits: count)
            let kept = words.prefix(count).map { String(decoding: Array($0), as: UTF8.self) }
            replaceText(command, by: (kept + (new.isEmpty ? [] : [new])).joined(separator: " ")) {
                Array($0.utf8) + ($1 ? [0] : [])
            }
        }
        for line in boot.commandLines { replaceText(line, by: new) { Self.utf16($0) + ($1 ? [0, 0] : []) } }
        replaceLoadOptions(by: new)
        if let section = boot.sections.first(where: { $0.name == ".cmdline" }) {
            replace(what, section.digest, by: hash.hash(Array(new.utf8)), in: 11)
            notes.append("The command line is in a unified kernel image: PCR 4 moves with the image (--uki).")
        }
        if !boot.commands.isEmpty, boot.objects.contains(where: { $0.pcr == 9 && $0.untrustedRole == .file }) {
            notes.append("GRUB's own files, as grub.cfg, are in PCR 9; a change in them is not in this prediction.")
        }
        guard changes.count > before || isUnchanged(new) else { throw .notFound(what) }
    }

    /// What the kernel's EFI stub measured as its load options; the text is not in the log.
    mutating func replaceLoadOptions(by new: String) {
        let options = boot.objects(untrustedRole: .loadOptions).filter { $0.pcr == 9 }
        guard options.allSatisfy({ $0.digest == options[0].digest }), let old = options.first else {
            if !options.isEmpty {
                notes.append("The log shows several load options in PCR 9, which are left as they are.")
            }
            return
        }
        // GRUB puts the kernel's name before the arguments.
        let kernel = boot.commands.first { $0.untrustedLabel == "kernel_cmdline" }?.text.split(separator: " ").first
        let text = kernel.map { "BOOT_IMAGE=\($0) \(new)" } ?? new
        replace("command line", old.digest, by: hash.hash(Self.utf16(text) + [0, 0]), in: 9)
    }

    /// Replaces a text that its digest covers, with or without the zero behind it, as it was.
    private mutating func replaceText(
        _ text: MeasuredText, by new: String, _ bytes: (_ text: String, _ hasZero: Bool) -> [UInt8]
    ) {
        for hasZero in [false, true] {
            replace(
                "command line", hash.hash(bytes(text.text, hasZero)), by: hash.hash(bytes(new, hasZero)), in: text.pcr)
        }
    }

    /// How many words stand before the arguments; `nil` for what is no command line of a kernel.
    private static func wordCount(before command: MeasuredText) -> Int? {
        if command.untrustedLabel == "kernel_cmdline" { return 1 }
        let isLoading = ["linux ", "linuxefi ", "linux16 "].contains { command.text.hasPrefix($0) }
        return isLoading ? 2 : nil
    }

    /// Whether the log has this command line already.
    private func isUnchanged(_ new: String) -> Bool {
        let options = [hash.hash(Self.utf16(new) + [0, 0])]
        return boot.commandLines.contains { $0.text == new }
            || boot.commands.contains { Self.wordCount(before: $0) != nil && $0.text.hasSuffix(" " + new) }
            || boot.objects(untrustedRole: .loadOptions).contains { options.contains(Array($0.digest)) }
            || boot.sections.contains { $0.name == ".cmdline" && $0.digest.elementsEqual(hash.hash(Array(new.utf8))) }
    }

    private static func utf16(_ text: String) -> [UInt8] {
        text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    }
}
