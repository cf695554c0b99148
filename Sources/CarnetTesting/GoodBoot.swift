public import Cryptography
public import MeasurementLogs
internal import StrictEncoding
internal import TPM2

/// What a machine with Secure Boot measures when it boots as it should: firmware, variables, boot loader, kernel, separators.
public enum GoodBoot {
    /// The log of the boot. The images are stand-ins; the events, their order and their data are those of real firmware.
    ///
    /// - Parameters:
    ///   - banks: The banks in which the firmware measures.
    ///   - startupLocality: The locality at which the TPM was started: PCR 0 begins with it.
    ///   - secureBoot: The value of the variable `SecureBoot`.
    ///   - kernel: The file `/vmlinuz`.
    ///   - adding: Adds what else is measured, before the firmware is left.
    public static func log(
        banks: [HashAlgorithm] = [.sha256], startupLocality: UInt8 = 0, secureBoot: UInt8 = 1,
        kernel: [UInt8] = Array("kernel".utf8), adding: (inout EventLogBuilder) -> Void = { _ in }
    ) -> EventLogBuilder {
        var log = EventLogBuilder(banks: banks)
        log.add(pcr: 0, .noAction, data: Array("StartupLocality\0".utf8) + [startupLocality])
        log.add(pcr: 0, .sCRTMVersion, data: Array("2\0.\01\09\0\0\0".utf8))
        log.add(
            pcr: 0, .efiPlatformFirmwareBlob, data: [UInt8](repeating: 0, count: 16),
            measuring: Array("firmware volume".utf8))
        addSecureBoot(secureBoot, to: &log)
        log.addVariable(pcr: 1, .efiVariableBoot2, name: "BootOrder", value: [0, 0, 1, 0])
        log.add(
            pcr: 2, .efiBootServicesDriver, data: [UInt8](repeating: 0, count: 32), measuring: Array("option ROM".utf8))
        log.add(pcr: 4, .efiAction, data: Array("Calling EFI Application from Boot Option".utf8))
        for pcr in 0...7 { log.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
        log.add(pcr: 5, .efiGPTEvent, data: Array("EFI PART and the partition table".utf8))
        addAuthority("the signer of the boot loader", to: &log)
        log.addImage(pcr: 4, path: "\\EFI\\debian\\shimx64.efi", image: Array("shim".utf8))
        log.addImage(pcr: 4, path: "\\EFI\\debian\\grubx64.efi", image: Array("grub".utf8))
        let command = "linux /vmlinuz root=/dev/mapper/system ro quiet"
        log.add(pcr: 8, .ipl, data: Array("grub_cmd: \(command)\0".utf8), measuring: Array(command.utf8))
        log.add(pcr: 9, .ipl, data: Array("/vmlinuz\0".utf8), measuring: kernel)
        log.add(pcr: 9, .ipl, data: Array("/initrd.img\0".utf8), measuring: Array("initrd".utf8))
        adding(&log)
        log.add(pcr: 5, .efiAction, data: Array("Exit Boot Services Invocation".utf8))
        log.add(pcr: 5, .efiAction, data: Array("Exit Boot Services Returned with Success".utf8))
        return log
    }

    /// The same boot with a log of some size, of which more than half is boot options: real ones have 30 to 60 KB.
    ///
    /// - Parameter byteCount: How long it is at least.
    public static func log(ofAtLeast byteCount: Int) -> EventLogBuilder {
        log { log in
            var number = 0
            while log.bytes.count < byteCount {
                let blob = [UInt8](repeating: UInt8(number % 251), count: 200 + (number * 37) % 600)
                log.addVariable(pcr: 1, .efiVariableDriverConfig, name: "Boot\(number)", value: blob)
                number += 1
            }
        }
    }

    /// Adds Secure Boot's variables, as firmware measures them first: whether it is on, its keys and its databases.
    public static func addSecureBoot(
        _ secureBoot: UInt8, signer: String = "the signer of the boot loader", to log: inout EventLogBuilder
    ) {
        log.addVariable(pcr: 7, .efiVariableDriverConfig, name: "SecureBoot", value: [secureBoot])
        let forbidden = Array("forbidden image, SHA-256 of it  ".utf8)
        let databases: [(name: String, vendor: GUID, list: [UInt8])] = [
            ("PK", .globalVariable, signatureList(x509, certificate("platform key"))),
            ("KEK", .globalVariable, signatureList(x509, certificate("key exchange key"))),
            ("db", .imageSecurityDatabase, signatureList(x509, certificate(signer))),
            ("dbx", .imageSecurityDatabase, signatureList(sha256, forbidden)),
        ]
        for database in databases {
            log.addVariable(
                pcr: 7, .efiVariableDriverConfig, vendor: database.vendor.bytes, name: database.name,
                value: database.list)
        }
    }

    /// Adds the key that allowed an image to run, as firmware measures it when it is used first.
    public static func addAuthority(_ signer: String, to log: inout EventLogBuilder) {
        log.addVariable(
            pcr: 7, .efiVariableAuthority, vendor: GUID.imageSecurityDatabase.bytes, name: "db",
            value: owner + certificate(signer))
    }

    /// Who put the keys there: a GUID of ours.
    private static let owner = Array("carnet test keys".utf8)
    /// EFI_CERT_X509_GUID and EFI_CERT_SHA256_GUID, as they stand in memory (UEFI Specification §32.4.1).
    private static let x509: [UInt8] = [
        0xA1, 0x59, 0xC0, 0xA5, 0xE4, 0x94, 0xA7, 0x4A, 0x87, 0xB5, 0xAB, 0x15, 0x5C, 0x2B, 0xF0, 0x72,
    ]
    private static let sha256: [UInt8] = [
        0x26, 0x16, 0xC4, 0xC1, 0x4C, 0x50, 0x92, 0x40, 0xAC, 0xA9, 0x41, 0xF9, 0x36, 0x93, 0x43, 0x28,
    ]

    /// What stands in for a certificate: one DER SEQUENCE of a text.
    private static func certificate(_ name: String) -> [UInt8] {
        [0x30, UInt8(clamping: name.utf8.count + 2), 0x0C, UInt8(clamping: name.utf8.count)] + Array(name.utf8)
    }

    /// A list of one signature (`EFI_SIGNATURE_LIST`): type, three lengths in little-endian order, owner, signature.
    private static func signatureList(_ type: [UInt8], _ signature: [UInt8]) -> [UInt8] {
        let lengths = [28 + 16 + signature.count, 0, 16 + signature.count]
        return type + lengths.flatMap { length in (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } }
            + owner + signature
    }

    /// The same boot, and behind all of its events an unknown boot loader: a machine that measured ``log()`` may go on to this one.
    public static func tamperedLog() -> EventLogBuilder {
        var log = log()
        log.addImage(pcr: 4, path: "\\EFI\\BOOT\\implant.efi", image: Array("implant".utf8))
        return log
    }

    /// What the kernel measures after a boot with SHA-256: the aggregate of the boot's PCRs 0 to 9, and two programs.
    public static func imaList(after log: EventLogBuilder = GoodBoot.log()) throws -> IMAListBuilder {
        var list = IMAListBuilder()
        guard let replay = ReplayedEventLog(try EventLog(parsing: log.bytes), bank: .sha256) else { return list }
        let boot = (0...9).flatMap { replay.value(ofPCR: $0) }
        addFile(IMABootAggregate.name, boot, to: &list)
        for path in ["/usr/lib/systemd/systemd", "/usr/bin/bash"] { addFile(path, Array(path.utf8), to: &list) }
        return list
    }

    /// Adds a file of a content to a list, as ``imaList(after:)`` does.
    public static func addFile(_ path: String, _ content: [UInt8], to list: inout IMAListBuilder) {
        guard let digest = IMADigest(.file, .sha256, HashAlgorithm.sha256.hash(content)) else { return }
        list.addFile(path, digest)
    }

    /// What systemd measures after a boot: the phases of PCR 11, and the machine's identity in PCR 15.
    public static func runtimeLog() -> RuntimeLogBuilder {
        var log = RuntimeLogBuilder()
        for phase in ["sysinit", "ready"] { log.add(pcr: 11, phase) }
        log.add(pcr: 15, "machine-id:0123456789abcdef0123456789abcdef", kind: "machine-id")
        return log
    }

    /// The PCRs that ``log()`` extends.
    public static let pcrs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

    /// A policy that allows exactly the values of a log, as YAML.
    public static func policy(for log: EventLogBuilder, id: String = "demo-node") throws -> String {
        let parsed = try EventLog(parsing: log.bytes)
        var text = """
            version: 1
            id: \(id)
            description: A machine that boots as GoodBoot does
            event_log: required
            banks:
              sha256:

            """
        guard let replay = ReplayedEventLog(parsed, bank: .sha256) else { return text }
        for pcr in pcrs {
            text += "    \(pcr): \(Hexadecimal.encode(replay.value(ofPCR: pcr)))\n"
        }
        return text
    }
}
