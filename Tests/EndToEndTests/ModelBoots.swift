import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs

/// What every boot of these models has: Secure Boot's variables, separators, and images by their Authenticode digests.
private enum Firmware {
    static func start(_ log: inout EventLogBuilder, secureBoot: UInt8) {
        log.add(pcr: 0, .sCRTMVersion, data: Array("2\0.\01\09\0\0\0".utf8))
        GoodBoot.addSecureBoot(secureBoot, signer: "signer", to: &log)
        for pcr in 0...7 { log.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
    }

    static func image(_ log: inout EventLogBuilder, _ path: String?, _ bytes: [UInt8]) throws {
        let image = try PEImage(parsing: bytes)
        let node: [UInt8] = (path ?? "").utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] } + [0, 0]
        let length = UInt8(clamping: node.count + 4)
        let file: [UInt8] = path == nil ? [] : [4, 4, length, 0] + node
        let device: [UInt8] = file + [0x7F, 0xFF, 4, 0]
        let data = [UInt8](repeating: 0, count: 24) + [UInt8(device.count)] + [UInt8](repeating: 0, count: 7) + device
        log.add(pcr: 4, .efiBootServicesApplication, data: data) { image.authenticodeDigest($0) }
    }

    static func end(_ log: inout EventLogBuilder) {
        log.add(pcr: 5, .efiAction, data: Array("Exit Boot Services Invocation".utf8))
        log.add(pcr: 5, .efiAction, data: Array("Exit Boot Services Returned with Success".utf8))
    }
}

/// What a machine with shim and GRUB measures of these files, in the order of a real one with Secure Boot.
struct GRUBBoot: Sendable {
    var shim = MadeUpImage.kernel("shim 15.8"), grub = MadeUpImage.kernel("grub 2.06")
    var kernel = MadeUpImage.kernel("linux 6.1.55"), initrd = Array("initrd of linux 6.1.55".utf8)
    var arguments = "root=/dev/mapper/system ro quiet"
    /// Commands of grub.cfg before the kernel's.
    var commands = ["set timeout=0"]

    /// The boot's log, one event for each measurement.
    func log() throws -> EventLogBuilder {
        var log = EventLogBuilder()
        Firmware.start(&log, secureBoot: 1)
        GoodBoot.addAuthority("signer", to: &log)
        try Firmware.image(&log, #"\EFI\debian\shimx64.efi"#, shim)
        try Firmware.image(&log, #"\EFI\debian\grubx64.efi"#, grub)
        log.add(pcr: 9, .ipl, data: Array("/grub.cfg\0".utf8), measuring: Array(commands.joined(separator: "\n").utf8))
        for command in commands { self.command("grub_cmd: ", command, &log) }
        command("grub_cmd: ", "linux /vmlinuz \(arguments)", &log)
        log.add(pcr: 9, .ipl, data: Array("/vmlinuz\0".utf8), measuring: kernel)
        // shim is asked, and GRUB starts the kernel: both measure it.
        for _ in 0..<2 { try Firmware.image(&log, nil, kernel) }
        command("kernel_cmdline: ", "/vmlinuz \(arguments)", &log)
        command("grub_cmd: ", "initrd /initrd.img", &log)
        log.add(pcr: 9, .ipl, data: Array("/initrd.img\0".utf8), measuring: initrd)
        Firmware.end(&log)
        return log
    }

    private func command(_ label: String, _ text: String, _ log: inout EventLogBuilder) {
        log.add(pcr: 8, .ipl, data: Array("\(label)\(text)\0".utf8), measuring: Array(text.utf8))
    }
}

/// What a machine measures of a unified kernel image, and of what lies beside it: a command line that was added (PCR 12) and an extension
/// of the system (PCR 13).
struct UnifiedBoot: Sendable {
    var kernel = "linux 6.1.55", line = "root=/dev/mapper/system ro", initrd = "initrd of linux 6.1.55"
    var secureBoot: UInt8 = 1
    var added = "quiet", sysext = Array("sysext".utf8)

    /// The image.
    var image: [UInt8] { MadeUpImage.unified(kernel, line, initrd, more: [(".osrel", Array("ID=debian".utf8))]) }

    /// The boot's log, one event for each measurement.
    func log() throws -> EventLogBuilder {
        var log = EventLogBuilder()
        Firmware.start(&log, secureBoot: secureBoot)
        if secureBoot == 1 {
            GoodBoot.addAuthority("signer", to: &log)
        }
        try Firmware.image(&log, #"\EFI\Linux\debian.efi"#, image)
        let sections = try PEImage(parsing: image)
        for name in PEImage.measuredSections {
            guard let content = sections.content(ofSection: name) else { continue }
            let label = Self.utf16(name) + [0, 0]
            log.add(pcr: 11, .ipl, data: label, measuring: Array(name.utf8) + [0])
            log.add(pcr: 11, .ipl, data: label, measuring: Array(content))
        }
        log.add(pcr: 12, .ipl, data: Self.utf16(added) + [0, 0], measuring: Self.utf16(added))
        log.add(pcr: 13, .ipl, data: Self.utf16("sysext initrd") + [0, 0], measuring: sysext)
        // Without Secure Boot the firmware starts, and measures, the kernel inside.
        if secureBoot == 0 { try Firmware.image(&log, nil, MadeUpImage.kernel(kernel)) }
        log.add(
            pcr: 9, .eventTag, data: Self.tagged([0xED, 0x22, 0x3B, 0x8F], "LOADED_IMAGE::LoadOptions"),
            measuring: Self.utf16(line) + [0, 0])
        log.add(
            pcr: 9, .eventTag, data: Self.tagged([0xEC, 0x22, 0x3B, 0x8F], "Linux initrd"),
            measuring: Array(initrd.utf8))
        Firmware.end(&log)
        return log
    }

    private static func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] } }

    private static func tagged(_ tag: [UInt8], _ text: String) -> [UInt8] {
        tag + [UInt8(text.utf8.count + 1), 0, 0, 0] + Array(text.utf8) + [0]
    }
}
