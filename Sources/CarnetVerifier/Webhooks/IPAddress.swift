import Foundation

/// An address of IPv4 or IPv6. IPv4 that is written as IPv6 (`::ffff:192.0.2.1`) is IPv4.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 bytes, the first one first.
    let bytes: [UInt8]

    private static let mapped: [UInt8] = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]

    /// An address; `nil` unless there are 4 or 16 bytes.
    init?(_ bytes: [UInt8]) {
        switch bytes.count {
        case 4: self.bytes = bytes
        case 16: self.bytes = bytes.starts(with: Self.mapped) ? Array(bytes.suffix(4)) : bytes
        default: return nil
        }
    }

    /// Reads what `inet_pton` reads: four decimal numbers, or IPv6 without a zone. Nothing else that some program takes for an address.
    package init?(_ text: some StringProtocol) {
        var buffer = [UInt8](repeating: 0, count: 16)
        let text = String(text)
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        if inet_pton(AF_INET, text, &buffer) == 1 {
            self.init(Array(buffer.prefix(4)))
        } else if inet_pton(AF_INET6, text, &buffer) == 1 {
            self.init(buffer)
        } else {
            return nil
        }
    }

    /// The text of RFC 5952 or four decimal numbers.
    package var description: String {
        var text = [CChar](repeating: 0, count: 64)
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether it is this machine's own: 127.0.0.0/8, ::1.
    var isLoopback: Bool { bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1] }
}

/// Addresses that begin alike, as `10.0.0.0/8`.
package struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    private let first: IPAddress
    private let prefix: Int

    /// Reads an address and the length of the prefix, or one address alone. The bits after the prefix have to be zero.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress($0) }) else { return nil }
        let width = address.bytes.count * 8
        guard parts.count == 2 else {
            self.init(first: address, prefix: width)
            return
        }
        guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let prefix = Int(parts[1]), prefix <= width, String(prefix) == parts[1]
        else { return nil }
        self.init(first: address, prefix: prefix)
        guard Self.masked(address.bytes, prefix) == address.bytes else { return nil }
    }

    private init(first: IPAddress, prefix: Int) {
        self.first = first
        self.prefix = prefix
    }

    /// As it was written.
    package var description: String { "\(first)/\(prefix)" }

    /// Whether an address is among them.
    func contains(_ address: IPAddress) -> Bool {
        address.bytes.count == first.bytes.count && Self.masked(address.bytes, prefix) == first.bytes
    }

    private static func masked(_ bytes: [UInt8], _ prefix: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(max(prefix - index * 8, 0), 8)
            return byte & ~UInt8(truncatingIfNeeded: 0xFF >> kept)
        }
    }
}
