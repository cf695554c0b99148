import Foundation

/// An IP address as 128 bits. An IPv4 address is its mapped form, `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2), so that both spellings are one
/// address.
public struct IPAddress: Sendable, Hashable {
    /// The first eight bytes, big-endian.
    let high: UInt64
    /// The last eight bytes, big-endian.
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads `192.0.2.7`, `2001:db8::7` or `::ffff:192.0.2.7`: no port, no brackets, no zone; `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        // inet_pton ends at a zero byte.
        guard (2...45).contains(text.utf8.count), text.utf8.allSatisfy({ Self.isAllowed($0) }) else { return nil }
        let text = String(text)
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(UInt32(bigEndian: four.s_addr)))
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            let bytes = withUnsafeBytes(of: &six) { Array($0) }
            self.init(high: Self.integer(bytes.prefix(8)), low: Self.integer(bytes.suffix(8)))
        } else {
            return nil
        }
    }

    /// Whether it is an IPv4 address.
    var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// Who is counted as one client: an IPv4 address, or the /64 of an IPv6 address, all of which one machine may use (RFC 6177 §2).
    var client: IPAddress { isIPv4 ? self : IPAddress(high: high, low: 0) }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
