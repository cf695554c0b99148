/// A firmware variable as it is measured (`UEFI_VARIABLE_DATA`, PC Client Platform Firmware Profile 1.06, §10.2.6).
public struct UEFIVariable: Sendable {
    /// The vendor's GUID, 16 bytes as they stand.
    public let vendor: ArraySlice<UInt8>
    /// The name as it stands: UCS-2, little-endian, without a terminating zero.
    public let nameBytes: ArraySlice<UInt8>
    /// The value.
    public let data: ArraySlice<UInt8>

    /// EFI_GLOBAL_VARIABLE, 8be4df61-93ca-11d2-aa0d-00e098032b8c (UEFI Specification, §3.3).
    public static let globalVendor: [UInt8] = [
        0x61, 0xDF, 0xE4, 0x8B, 0xCA, 0x93, 0xD2, 0x11, 0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C,
    ]

    /// Shim's own, 605dab50-e046-4300-abb6-3dd810dd8b23 (SHIM_LOCK_GUID in shim's source).
    public static let shimVendor: [UInt8] = [
        0x50, 0xAB, 0x5D, 0x60, 0x46, 0xE0, 0x00, 0x43, 0xAB, 0xB6, 0x3D, 0xD8, 0x10, 0xDD, 0x8B, 0x23,
    ]

    /// Reads one structure that fills `bytes`, its name of at most 1,024 characters; `nil` otherwise.
    public init?(parsing bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 32 else { return nil }
        let nameCount = bytes.littleEndian64(at: 16), dataCount = bytes.littleEndian64(at: 24)
        guard nameCount <= 1024, dataCount <= UInt64(bytes.count) else { return nil }
        let nameStart = bytes.startIndex + 32
        let dataStart = nameStart + Int(nameCount) * 2
        guard dataStart <= bytes.endIndex, bytes.endIndex - dataStart == Int(dataCount) else { return nil }
        vendor = bytes.prefix(16)
        nameBytes = bytes[nameStart..<dataStart]
        data = bytes[dataStart...]
    }

    /// The name as text.
    public var name: String {
        String(utf16LittleEndian: nameBytes)
    }

    /// Whether the name is `text`, which is ASCII.
    public func isNamed(_ text: StaticString) -> Bool {
        guard nameBytes.count == 2 * text.utf8CodeUnitCount else { return false }
        return (0..<text.utf8CodeUnitCount).allSatisfy { index in
            nameBytes[nameBytes.startIndex + 2 * index] == text.utf8Start[index]
                && nameBytes[nameBytes.startIndex + 2 * index + 1] == 0
        }
    }

    /// Whether this is the global variable that says whether Secure Boot is enforced.
    public var isSecureBoot: Bool { isNamed("SecureBoot") && vendor.elementsEqual(Self.globalVendor) }
}
