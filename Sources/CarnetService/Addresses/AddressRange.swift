/// One IP address, or all that begin with the same bits.
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    /// As it was written.
    public let description: String
    private let base: IPAddress
    private let highMask: UInt64
    private let lowMask: UInt64

    /// Reads `192.0.2.7`, `10.0.0.0/8`, `::1` or `2001:db8::/32`. `nil` for anything else, and where bits stand behind the prefix, as in
    /// `10.0.0.1/8`: one of the two is a mistake.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let base = IPAddress(first) else { return nil }
        var length = 128
        if parts.count == 2 {
            let offset = first.contains(":") ? 0 : 96
            guard let bits = Int(parts[1]), String(bits) == parts[1], (0...128 - offset).contains(bits) else {
                return nil
            }
            length = offset + bits
        }
        highMask = Self.mask(length)
        lowMask = Self.mask(length - 64)
        self.base = base
        description = String(text)
        guard contains(base), base.high & ~highMask == 0, base.low & ~lowMask == 0 else { return nil }
    }

    /// Whether an address is in the range.
    public func contains(_ address: IPAddress) -> Bool {
        address.high & highMask == base.high & highMask && address.low & lowMask == base.low & lowMask
    }

    /// A mask with the first `length` bits set; none below zero, all from 64 on. A shift by more than the width is zero in Swift.
    private static func mask(_ length: Int) -> UInt64 {
        length <= 0 ? 0 : ~(UInt64.max >> UInt64(length))
    }
}
