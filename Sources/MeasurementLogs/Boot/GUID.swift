/// A GUID as UEFI writes it: the first three fields little-endian, the rest byte by byte (UEFI Specification, Appendix A).
public struct GUID: Sendable, Hashable, CustomStringConvertible {
    private let first: UInt64
    private let second: UInt64

    /// The GUID of exactly 16 bytes as they stand; `nil` for another number of bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        first = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        second = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The GUID whose bytes, as they stand, are these two numbers in big-endian order.
    init(_ first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }

    /// The 16 bytes as they stand.
    public var bytes: [UInt8] {
        [first, second].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) } }
    }

    /// The registry's spelling, as in `8be4df61-93ca-11d2-aa0d-00e098032b8c`.
    public var description: String {
        let bytes = bytes
        let groups = [[3, 2, 1, 0], [5, 4], [7, 6], [8, 9], [10, 11, 12, 13, 14, 15]]
        return groups.map { group in
            group.map { (bytes[$0] < 16 ? "0" : "") + String(bytes[$0], radix: 16) }.joined()
        }.joined(separator: "-")
    }

    /// EFI_GLOBAL_VARIABLE, 8be4df61-93ca-11d2-aa0d-00e098032b8c (UEFI Specification §3.3).
    public static let globalVariable = GUID(0x61DF_E48B_CA93_D211, 0xAA0D_00E0_9803_2B8C)
    /// EFI_IMAGE_SECURITY_DATABASE_GUID, d719b2cb-3d3a-4596-a3bc-dad00e67656f (UEFI Specification §32.4).
    public static let imageSecurityDatabase = GUID(0xCBB2_19D7_3A3D_9645, 0xA3BC_DAD0_0E67_656F)
    /// SHIM_LOCK_GUID, 605dab50-e046-4300-abb6-3dd810dd8b23.
    public static let shimLock = GUID(0x50AB_5D60_46E0_0043, 0xABB6_3DD8_10DD_8B23)
}
