/// The data of an EV_EVENT_TAG event (`TCG_PCClientTaggedEvent`, PC Client Platform Firmware Profile 1.06 §10.4.2.1).
///
/// The digest is usually of the object that the tag speaks of, so tag and description are hints.
public struct TaggedEvent: Sendable {
    /// Which kind of object it is.
    public struct Tag: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The initrd that Linux's EFI stub loaded, in PCR 9 (LINUX_EFI_INITRD in the kernel's efistub).
        public static let linuxInitrd = Self(rawValue: 0x8F3B_22EC)
        /// The load options that Linux's EFI stub was given: the command line in UTF-16, in PCR 9.
        public static let linuxLoadOptions = Self(rawValue: 0x8F3B_22ED)
        /// systemd-boot's `loader.conf`, in PCR 5 (systemd, TPM2 PCR measurements).
        public static let systemdLoaderConfiguration = Self(rawValue: 0xF5BC_582A)
        /// A DeviceTree addon, in PCR 12.
        public static let systemdDeviceTree = Self(rawValue: 0x6C46_F751)
        /// An initrd addon, in PCR 12.
        public static let systemdInitrdAddon = Self(rawValue: 0x49DF_FE0F)
        /// A microcode addon, in PCR 12.
        public static let systemdMicrocodeAddon = Self(rawValue: 0xDAC0_8E1A)
        /// SMBIOS structures, in PCR 1: system, baseboard, OEM strings.
        public static let systemdSMBIOSSystem = Self(rawValue: 0xD5CB_7CBC)
        public static let systemdSMBIOSBaseboard = Self(rawValue: 0xE0D4_7BC8)
        public static let systemdSMBIOSStrings = Self(rawValue: 0xC0B3_BD23)

        /// What the tag stands for, or the number in hexadecimal.
        public var description: String { Self.names[self] ?? "tag 0x" + String(rawValue, radix: 16) }

        private static let names: [Self: String] = [
            .linuxInitrd: "Linux initrd", .linuxLoadOptions: "Linux load options",
            .systemdLoaderConfiguration: "loader.conf", .systemdDeviceTree: "DeviceTree addon",
            .systemdInitrdAddon: "initrd addon", .systemdMicrocodeAddon: "microcode addon",
            .systemdSMBIOSSystem: "SMBIOS system", .systemdSMBIOSBaseboard: "SMBIOS baseboard",
            .systemdSMBIOSStrings: "SMBIOS OEM strings",
        ]
    }

    /// Which kind of object it is.
    public let tag: Tag
    /// What the event says about it.
    public let data: ArraySlice<UInt8>

    /// Reads one structure that fills `bytes`; `nil` otherwise.
    public init?(parsing bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 8, bytes.littleEndian32(at: 4) == bytes.count - 8 else { return nil }
        tag = Tag(rawValue: UInt32(truncatingIfNeeded: bytes.littleEndian32(at: 0)))
        data = bytes.dropFirst(8)
    }

    /// The description as text: UTF-16 or UTF-8.
    public var text: String { String(untrustedIPL: data) }
}
