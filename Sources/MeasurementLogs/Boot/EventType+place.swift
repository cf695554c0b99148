/// Which types of events are measured into which PCR (PC Client Platform Firmware Profile 1.06 §3.3.4, §10.4.1; UAPI.7 Linux TPM PCR
/// registry).
///
/// No digest covers a type, so a place in these lists grants nothing: it only is not held against the event. What an event is, its
/// digest, its place and covered data say.
extension EventType {
    /// Whether somebody is known to measure events of this type into a PCR. Records of the running system's log belong into no PCR of
    /// the firmware; into the others ``EventLog/appending(_:)`` lets them.
    public func belongs(inPCR pcr: Int) -> Bool {
        Self.masks.indices.contains(pcr) && Self.masks[pcr] & bit != 0
    }

    /// The types that somebody is known to measure into a PCR; empty for PCRs from 16 on, and for PCR 10, which is IMA's.
    public static func known(inPCR pcr: Int) -> [EventType] { places.indices.contains(pcr) ? places[pcr] : [] }

    /// Whether it is of a variable that belongs into PCR 7: Secure Boot's, who verified an image, and those of device authentication
    /// (EV_EFI_SPDM_DEVICE_POLICY, EV_EFI_SPDM_DEVICE_AUTHORITY).
    var isVariableInPCR7: Bool {
        switch self {
        case .efiVariableDriverConfig, .efiVariableAuthority, .efiSPDMDevicePolicy, .efiSPDMDeviceAuthority: true
        default: false
        }
    }

    /// A bit of its own for each type of the specification; none for others.
    private var bit: UInt64 {
        switch rawValue {
        case 0..<0x20: 1 << UInt64(rawValue)
        case 0x8000_0000..<0x8000_0018: 1 << UInt64(32 + (rawValue & 0xFF))
        case 0x8000_00E0..<0x8000_00E8: 1 << UInt64(56 + (rawValue & 0x7))
        default: 0
        }
    }

    /// ``places`` as bits: every event of every log is asked about.
    private static let masks = places.map { $0.reduce(0) { $0 | $1.bit } }

    private static let places: [[EventType]] = [
        // 0, the firmware's code. EV_NONHOST_INFO: Google's virtual machines, and a server of Keylime's test data.
        // EV_S_CRTM_CONTENTS: Intel Boot Guard. The drivers' types: drivers in the firmware's own volume.
        [
            .separator, .action, .postCode, .postCode2, .sCRTMContents, .sCRTMVersion, .nonHostCode, .nonHostInfo,
            .efiPlatformFirmwareBlob, .efiPlatformFirmwareBlob2, .efiBootServicesDriver, .efiRuntimeServicesDriver,
            .efiHCRTMEvent,
        ],
        // 1, its configuration. EV_PLATFORM_CONFIG_FLAGS: ACPI tables and the processor's switches, on two servers of Keylime's.
        // EV_EVENT_TAG: SMBIOS structures, by systemd-boot and systemd-stub.
        [
            .separator, .action, .efiAction, .efiVariableDriverConfig, .efiVariableBoot, .efiVariableBoot2,
            .efiHandoffTables, .efiHandoffTables2, .cpuMicrocode, .platformConfigFlags, .tableOfDevices, .nonHostConfig,
            .eventTag,
        ],
        // 2, drivers and option ROMs. EV_EFI_BOOT_SERVICES_APPLICATION: one that came in an option ROM.
        [
            .separator, .action, .efiAction, .efiBootServicesDriver, .efiRuntimeServicesDriver,
            .efiBootServicesApplication, .efiPlatformFirmwareBlob, .efiPlatformFirmwareBlob2, .nonHostCode,
            .efiSPDMFirmwareBlob,
        ],
        // 3, their configuration.
        [.separator, .action, .efiAction, .efiVariableDriverConfig, .nonHostConfig, .efiSPDMFirmwareConfig],
        // 4, boot loaders. EV_IPL: those before UEFI. EV_COMPACT_HASH: makers' own. Firmware blobs: loaders in the firmware's volume.
        [
            .separator, .action, .efiAction, .efiBootServicesApplication, .ipl, .compactHash, .omitBootDeviceEvents,
            .efiPlatformFirmwareBlob, .efiPlatformFirmwareBlob2,
        ],
        // 5, partitions and boot configuration. EV_EVENT_TAG: systemd-boot's loader.conf.
        [
            .separator, .action, .efiAction, .efiGPTEvent, .efiGPTEvent2, .efiVariableDriverConfig, .iplPartitionData,
            .compactHash, .eventTag,
        ],
        // 6, the maker's own.
        [.separator, .action, .efiAction, .compactHash],
        // 7, Secure Boot. EV_EFI_ACTION: debugging and protection of memory.
        [
            .separator, .efiAction, .efiVariableDriverConfig, .efiVariableAuthority, .efiSPDMDevicePolicy,
            .efiSPDMDeviceAuthority,
        ],
        // 8, GRUB's commands.
        [.ipl],
        // 9, files that GRUB read; EV_EVENT_TAG: initrd and load options, by Linux's EFI stub.
        [.ipl, .eventTag],
        // 10, IMA, whose list is another.
        [],
        // 11, systemd-stub's sections; EV_COMPACT_HASH: Windows, which locks BitLocker's keys.
        [.ipl, .compactHash],
        // 12, command lines, and EV_EVENT_TAG: addons of systemd-stub. EV_SEPARATOR and EV_EVENT_TAG in 12, 13 and 14: Windows.
        [.ipl, .eventTag, .separator],
        // 13, system extensions.
        [.ipl, .eventTag, .separator],
        // 14, shim's lists.
        [.ipl, .eventTag, .separator],
        // 15, the running system's; no boot loader measures there.
        [],
    ]
}
