import Foundation

/// An IP address as 128 bits. An IPv4 address is its mapped form, `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2), so that both spellings are one
/// address.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
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
            self.init(bytes: withUnsafeBytes(of: &six) { Array($0) })
        } else {
            return nil
        }
    }

    /// An address of 4 or 16 bytes, big-endian; `nil` for any other number of them.
    public init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self.init(high: 0, low: 0xFFFF_0000_0000 | Self.integer(bytes))
        case 16: self.init(high: Self.integer(bytes.prefix(8)), low: Self.integer(bytes.dropFirst(8)))
        default: return nil
        }
    }

    /// The text of RFC 5952, or four decimal numbers.
    public var description: String {
        var text = [CChar](repeating: 0, count: 64)
        var bytes = [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
        if isIPv4 { bytes = Array(bytes.suffix(4)) }
        guard inet_ntop(isIPv4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether it is an IPv4 address.
    public var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// Whether it is this machine's own: 127.0.0.0/8 or ::1.
    public var isLoopback: Bool { isIPv4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1 }

    /// Who is counted as one client: an IPv4 address, or the /64 of an IPv6 address, all of which one machine may use (RFC 6177 §2).
    var client: IPAddress { isIPv4 ? self : IPAddress(high: high, low: 0) }

    private static func integer(_ bytes: some Collection<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
