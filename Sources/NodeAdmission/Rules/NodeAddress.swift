internal import Glibc

/// An IPv4 or IPv6 address; an IPv4 address in IPv6 clothes (RFC 4291 §2.5.5.2) is the IPv4 address.
struct NodeAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes, in network byte order.
    let bytes: [UInt8]

    /// - Parameter bytes: 4 or 16 bytes.
    init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        let isMapped =
            bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10...11].allSatisfy { $0 == 255 }
        self.bytes = isMapped ? Array(bytes[12...]) : bytes
    }

    /// An address as text, without a zone.
    init?(_ text: String) {
        // inet_pton ends at a zero byte.
        guard !text.utf8.contains(0) else { return nil }
        var four = in_addr(), six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(bytes: withUnsafeBytes(of: four) { Array($0) })
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: withUnsafeBytes(of: six) { Array($0) })
        } else {
            return nil
        }
    }

    /// Whether it names a host that others can reach: not the unspecified address, this host itself, a link's or a group's.
    var isHost: Bool {
        if bytes.count == 4 {
            return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224 && !(bytes[0] == 169 && bytes[1] == 254)
        }
        return bytes[0] != 0xFF && bytes[..<15].contains { $0 != 0 } && !(bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80)
    }

    var description: String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2).map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}

/// A network of addresses, as `10.0.0.0/8` or `fd00::/8`.
public struct AddressNetwork: Sendable, Hashable, CustomStringConvertible {
    private let address: NodeAddress
    private let prefixLength: Int

    /// A network as text; `nil` for what is none, and when bits behind the prefix are set.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = NodeAddress(String(parts[0])), let length = Int(parts[1]),
            String(length) == parts[1], (0...(8 * address.bytes.count)).contains(length)
        else { return nil }
        for (index, byte) in address.bytes.enumerated() where byte & ~Self.mask(index, length) != 0 { return nil }
        self.address = address
        prefixLength = length
    }

    /// Whether an address lies in the network.
    func contains(_ other: NodeAddress) -> Bool {
        other.bytes.count == address.bytes.count
            && other.bytes.indices.allSatisfy {
                other.bytes[$0] & Self.mask($0, prefixLength) == address.bytes[$0]
            }
    }

    private static func mask(_ index: Int, _ length: Int) -> UInt8 {
        let bits = min(max(length - 8 * index, 0), 8)
        return bits == 0 ? 0 : UInt8.max << UInt8(8 - bits)
    }

    /// The network as text.
    public var description: String { "\(address)/\(prefixLength)" }
}
