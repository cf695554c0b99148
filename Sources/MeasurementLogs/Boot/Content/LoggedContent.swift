/// What an event says of itself, read by the type that the log gives it.
///
/// Type and data are the attester's to choose: nothing here is authentic until ``Event/content(in:)`` or ``Event/binding(in:)`` says
/// that a digest covers it. Data that does not have the shape of its type is ``opaque``.
public enum LoggedContent: Sendable {
    /// EV_SEPARATOR: what the firmware says at its end.
    case separator(ArraySlice<UInt8>)
    /// EV_ACTION, EV_EFI_ACTION, EV_OMIT_BOOT_DEVICE_EVENTS, EV_POST_CODE and EV_POST_CODE2 with text: what the firmware did.
    case action(String)
    /// EV_S_CRTM_VERSION: the version in UTF-16.
    case firmwareVersion(String)
    /// EV_NO_ACTION in PCR 0: from which locality the TPM was started.
    case startupLocality(UInt8)
    /// EV_EVENT_TAG: a tag and a description.
    case tagged(TaggedEvent)
    /// EV_IPL with the text of a GRUB command.
    case grub(GRUBCommand)
    /// EV_IPL with other text, in UTF-8 or UTF-16: a file's name, a section's name, a command line.
    case text(String)
    /// The types of variables: EV_EFI_VARIABLE_DRIVER_CONFIG, _BOOT, _BOOT2, _AUTHORITY, and SPDM's policy and authority.
    case variable(UEFIVariable)
    /// EV_EFI_BOOT_SERVICES_APPLICATION and the drivers' types: where an image was loaded from.
    case image(LoadedImage)
    /// EV_EFI_GPT_EVENT: a partition table.
    case partitions(PartitionTable)
    /// EV_EFI_PLATFORM_FIRMWARE_BLOB and its successor; EV_POST_CODE and EV_S_CRTM_CONTENTS with such data: a piece of memory.
    case firmwareBlob(FirmwareBlob)
    /// EV_EFI_HANDOFF_TABLES and its successor.
    case handoffTables(HandoffTables)
    /// Another type, or data that does not have its type's shape.
    case opaque(ArraySlice<UInt8>)
}

extension Event {
    /// What the log says that the event is. See ``LoggedContent``.
    public var untrustedContent: LoggedContent {
        LoggedContent(untrustedType, untrustedData, pcr: pcr) ?? .opaque(untrustedData)
    }
}

extension LoggedContent {
    fileprivate init?(_ type: EventType, _ data: ArraySlice<UInt8>, pcr: Int) {
        switch type {
        case .separator: self = .separator(data)
        case .action, .efiAction, .omitBootDeviceEvents: self = .action(String(decoding: data, as: UTF8.self))
        case .sCRTMVersion: self = .firmwareVersion(String(untrustedUTF16: data))
        case .noAction:
            guard pcr == 0, data.count == 17, data.starts(with: "StartupLocality\0".utf8), let locality = data.last
            else { return nil }
            self = .startupLocality(locality)
        case .eventTag:
            guard let tagged = TaggedEvent(parsing: data) else { return nil }
            self = .tagged(tagged)
        case .ipl: self = GRUBCommand(parsing: data).map { .grub($0) } ?? .text(String(untrustedIPL: data))
        case .postCode, .postCode2, .sCRTMContents:
            if let blob = FirmwareBlob(parsing: data) ?? FirmwareBlob(parsingDescribed: data) {
                self = .firmwareBlob(blob)
            } else {
                self = .action(String(decoding: data.prefix { $0 != 0 }, as: UTF8.self))
            }
        case .efiVariableDriverConfig, .efiVariableBoot, .efiVariableBoot2, .efiVariableAuthority,
            .efiSPDMDevicePolicy, .efiSPDMDeviceAuthority:
            guard let variable = UEFIVariable(parsing: data) else { return nil }
            self = .variable(variable)
        case .efiBootServicesApplication, .efiBootServicesDriver, .efiRuntimeServicesDriver:
            guard let image = LoadedImage(parsing: data) else { return nil }
            self = .image(image)
        case .efiGPTEvent, .efiGPTEvent2:
            guard let table = PartitionTable(parsing: data) else { return nil }
            self = .partitions(table)
        case .efiPlatformFirmwareBlob:
            guard let blob = FirmwareBlob(parsing: data) else { return nil }
            self = .firmwareBlob(blob)
        case .efiPlatformFirmwareBlob2:
            guard let blob = FirmwareBlob(parsingDescribed: data) else { return nil }
            self = .firmwareBlob(blob)
        case .efiHandoffTables:
            guard let tables = HandoffTables(parsing: data) else { return nil }
            self = .handoffTables(tables)
        case .efiHandoffTables2:
            guard let tables = HandoffTables(parsingDescribed: data) else { return nil }
            self = .handoffTables(tables)
        default: return nil
        }
    }
}

extension String {
    /// The UTF-16 text, little-endian, up to a zero or the end; what is no text becomes U+FFFD.
    init(untrustedUTF16 bytes: ArraySlice<UInt8>) {
        var end = bytes.startIndex
        while bytes.endIndex - end >= 2, bytes[end] != 0 || bytes[end + 1] != 0 { end += 2 }
        self.init(utf16LittleEndian: bytes[..<end])
    }

    /// The UTF-16 text, little-endian, of all bytes but an odd last one; what is no text becomes U+FFFD.
    init(utf16LittleEndian bytes: ArraySlice<UInt8>) {
        let count = bytes.count / 2
        let isASCII = (0..<count).allSatisfy {
            bytes[bytes.startIndex + 2 * $0 + 1] == 0 && bytes[bytes.startIndex + 2 * $0] < 0x80
        }
        if isASCII {
            self.init(unsafeUninitializedCapacity: count) { output in
                for index in 0..<count { output[index] = bytes[bytes.startIndex + 2 * index] }
                return count
            }
        } else {
            let units = (0..<count).map {
                UInt16(bytes[bytes.startIndex + 2 * $0]) | UInt16(bytes[bytes.startIndex + 2 * $0 + 1]) << 8
            }
            self.init(decoding: units, as: UTF16.self)
        }
    }

    /// The text of an EV_IPL event: systemd writes UTF-16, everybody else UTF-8; ASCII in UTF-16 has zeros at odd places.
    init(untrustedIPL data: ArraySlice<UInt8>) {
        let isUTF16 = data.count >= 4 && data.count % 2 == 0 && data.dropFirst().first == 0
        if isUTF16 {
            self.init(untrustedUTF16: data)
        } else {
            self.init(decoding: data.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
