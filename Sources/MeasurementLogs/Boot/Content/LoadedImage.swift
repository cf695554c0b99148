/// Where an image was loaded from (`UEFI_IMAGE_LOAD_EVENT`, PC Client Platform Firmware Profile 1.06 §10.2.3).
///
/// The event's digest is the image's Authenticode digest. It covers nothing of this.
public struct LoadedImage: Sendable {
    /// Where the image lay in memory.
    public let address: UInt64
    /// How many bytes it had there.
    public let byteCount: UInt64
    /// The address that it was linked for.
    public let linkTimeAddress: UInt64
    /// The device path, a chain of nodes (UEFI Specification §10.3).
    public let devicePath: ArraySlice<UInt8>

    /// Reads one structure that fills `bytes`; `nil` otherwise.
    public init?(parsing bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 32, bytes.littleEndian64(at: 24) == UInt64(bytes.count - 32) else { return nil }
        address = bytes.littleEndian64(at: 0)
        byteCount = bytes.littleEndian64(at: 8)
        linkTimeAddress = bytes.littleEndian64(at: 16)
        devicePath = bytes.dropFirst(32)
    }

    /// The text of the device path's file nodes, joined; `nil` when it has none.
    public var filePath: String? {
        var rest = devicePath
        var path = ""
        while rest.count >= 4 {
            let type = rest[rest.startIndex], subtype = rest[rest.startIndex + 1]
            let length = Int(rest[rest.startIndex + 2]) | Int(rest[rest.startIndex + 3]) << 8
            guard length >= 4, length <= rest.count, type != 0x7F else { break }
            if type == 4, subtype == 4 { path += String(untrustedUTF16: rest.prefix(length).dropFirst(4)) }
            rest = rest.dropFirst(length)
        }
        return path.isEmpty ? nil : path
    }
}
