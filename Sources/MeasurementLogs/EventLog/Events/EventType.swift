/// The type of an event (PC Client Platform Firmware Profile 1.06, §10.4.1). No digest covers it.
public struct EventType: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let postCode = Self(rawValue: 0x1)
    public static let noAction = Self(rawValue: 0x3)
    public static let separator = Self(rawValue: 0x4)
    public static let action = Self(rawValue: 0x5)
    public static let eventTag = Self(rawValue: 0x6)
    public static let sCRTMContents = Self(rawValue: 0x7)
    public static let sCRTMVersion = Self(rawValue: 0x8)
    public static let cpuMicrocode = Self(rawValue: 0x9)
    public static let platformConfigFlags = Self(rawValue: 0xA)
    public static let tableOfDevices = Self(rawValue: 0xB)
    public static let compactHash = Self(rawValue: 0xC)
    public static let ipl = Self(rawValue: 0xD)
    public static let iplPartitionData = Self(rawValue: 0xE)
    public static let nonHostCode = Self(rawValue: 0xF)
    public static let nonHostConfig = Self(rawValue: 0x10)
    public static let nonHostInfo = Self(rawValue: 0x11)
    public static let omitBootDeviceEvents = Self(rawValue: 0x12)
    public static let postCode2 = Self(rawValue: 0x13)
    public static let efiVariableDriverConfig = Self(rawValue: 0x8000_0001)
    public static let efiVariableBoot = Self(rawValue: 0x8000_0002)
    public static let efiBootServicesApplication = Self(rawValue: 0x8000_0003)
    public static let efiBootServicesDriver = Self(rawValue: 0x8000_0004)
    public static let efiRuntimeServicesDriver = Self(rawValue: 0x8000_0005)
    public static let efiGPTEvent = Self(rawValue: 0x8000_0006)
    public static let efiAction = Self(rawValue: 0x8000_0007)
    public static let efiPlatformFirmwareBlob = Self(rawValue: 0x8000_0008)
    public static let efiHandoffTables = Self(rawValue: 0x8000_0009)
    public static let efiPlatformFirmwareBlob2 = Self(rawValue: 0x8000_000A)
    public static let efiHandoffTables2 = Self(rawValue: 0x8000_000B)
    public static let efiVariableBoot2 = Self(rawValue: 0x8000_000C)
    public static let efiGPTEvent2 = Self(rawValue: 0x8000_000D)
    public static let efiHCRTMEvent = Self(rawValue: 0x8000_0010)
    public static let efiVariableAuthority = Self(rawValue: 0x8000_00E0)
    public static let efiSPDMFirmwareBlob = Self(rawValue: 0x8000_00E1)
    public static let efiSPDMFirmwareConfig = Self(rawValue: 0x8000_00E2)
    public static let efiSPDMDevicePolicy = Self(rawValue: 0x8000_00E3)
    public static let efiSPDMDeviceAuthority = Self(rawValue: 0x8000_00E4)

    /// No number of the TCG's: a record of the running system's log.
    public static let runtimeMeasurement = Self(rawValue: 0xFFFF_FFFF)

    /// The specification's name, or the number in hexadecimal.
    public var description: String { Self.names[rawValue] ?? "event type 0x" + String(rawValue, radix: 16) }

    private static let names: [UInt32: String] = [
        0x0: "EV_PREBOOT_CERT", 0x1: "EV_POST_CODE", 0x2: "EV_UNUSED", 0x3: "EV_NO_ACTION", 0x4: "EV_SEPARATOR",
        0x5: "EV_ACTION", 0x6: "EV_EVENT_TAG", 0x7: "EV_S_CRTM_CONTENTS", 0x8: "EV_S_CRTM_VERSION",
        0x9: "EV_CPU_MICROCODE", 0xA: "EV_PLATFORM_CONFIG_FLAGS", 0xB: "EV_TABLE_OF_DEVICES", 0xC: "EV_COMPACT_HASH",
        0xD: "EV_IPL", 0xE: "EV_IPL_PARTITION_DATA", 0xF: "EV_NONHOST_CODE", 0x10: "EV_NONHOST_CONFIG",
        0x11: "EV_NONHOST_INFO", 0x12: "EV_OMIT_BOOT_DEVICE_EVENTS", 0x13: "EV_POST_CODE2",
        0x8000_0001: "EV_EFI_VARIABLE_DRIVER_CONFIG", 0x8000_0002: "EV_EFI_VARIABLE_BOOT",
        0x8000_0003: "EV_EFI_BOOT_SERVICES_APPLICATION", 0x8000_0004: "EV_EFI_BOOT_SERVICES_DRIVER",
        0x8000_0005: "EV_EFI_RUNTIME_SERVICES_DRIVER", 0x8000_0006: "EV_EFI_GPT_EVENT", 0x8000_0007: "EV_EFI_ACTION",
        0x8000_0008: "EV_EFI_PLATFORM_FIRMWARE_BLOB", 0x8000_0009: "EV_EFI_HANDOFF_TABLES",
        0x8000_000A: "EV_EFI_PLATFORM_FIRMWARE_BLOB2", 0x8000_000B: "EV_EFI_HANDOFF_TABLES2",
        0x8000_000C: "EV_EFI_VARIABLE_BOOT2", 0x8000_000D: "EV_EFI_GPT_EVENT2", 0x8000_0010: "EV_EFI_HCRTM_EVENT",
        0x8000_00E0: "EV_EFI_VARIABLE_AUTHORITY", 0x8000_00E1: "EV_EFI_SPDM_FIRMWARE_BLOB",
        0x8000_00E2: "EV_EFI_SPDM_FIRMWARE_CONFIG", 0x8000_00E3: "EV_EFI_SPDM_DEVICE_POLICY",
        0x8000_00E4: "EV_EFI_SPDM_DEVICE_AUTHORITY", 0xFFFF_FFFF: "runtime measurement",
    ]
}
