import Foundation

/// What a proxy says at the beginning of a connection about whose it is: the PROXY protocol, versions 1 (text) and 2 (bytes).
///
/// Source: “The PROXY protocol, versions 1 & 2” (HAProxy, proxy-protocol.txt, 2020/03/05), §2.
public struct ProxyHeader: Sendable, Hashable {
    /// The client at the other end of the proxy; `nil` where the proxy speaks for itself, as when it asks for our health, or does not know.
    public let source: IPAddress?
    /// How many bytes it has. What follows is the connection's own.
    public let byteCount: Int

    /// The longest header that is read, in bytes. Version 1 ends at 107; version 2 may carry more than anybody sends.
    public static let maximumByteCount = 4096

    /// What the beginning of a connection is.
    public enum Reading: Sendable, Hashable {
        case header(ProxyHeader)
        /// The beginning of a header, so far.
        case incomplete
        /// No header, or one of something else than TCP over IP.
        case refused
    }

    /// Reads the beginning of a connection; what is behind the header is not looked at.
    public static func read(_ bytes: some Collection<UInt8>) -> Reading {
        let beginning = Array(bytes.prefix(maximumByteCount))
        if beginning.starts(with: signature) { return binary(beginning) }
        if beginning.starts(with: word) { return text(beginning) }
        return signature.starts(with: beginning) || word.starts(with: beginning) ? .incomplete : .refused
    }

    // Version 2 (§2.2).

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private static func binary(_ bytes: [UInt8]) -> Reading {
        guard bytes.count >= 16 else { return .incomplete }
        let count = 16 + (Int(bytes[14]) << 8 | Int(bytes[15]))
        guard count <= maximumByteCount, bytes[12] >> 4 == 2, bytes[12] & 0xF <= 1 else { return .refused }
        guard bytes.count >= count else { return .incomplete }
        let rest = bytes[16..<count]
        // LOCAL: whatever else it says is to be left out.
        if bytes[12] & 0xF == 0 { return .header(ProxyHeader(source: nil, byteCount: count)) }
        switch bytes[13] {
        case 0x00: return .header(ProxyHeader(source: nil, byteCount: count))
        case 0x11: return address(rest, length: 4, byteCount: count)
        case 0x21: return address(rest, length: 16, byteCount: count)
        default: return .refused
        }
    }

    /// Two addresses and two ports, and then nothing but whole extensions: a type, a length of two bytes, as many bytes.
    private static func address(_ bytes: ArraySlice<UInt8>, length: Int, byteCount: Int) -> Reading {
        guard bytes.count >= 2 * length + 4, let source = IPAddress(bytes: bytes.prefix(length)) else {
            return .refused
        }
        var rest = bytes.dropFirst(2 * length + 4)
        while let first = rest.indices.first {
            guard rest.count >= 3 else { return .refused }
            let size = 3 + (Int(rest[first + 1]) << 8 | Int(rest[first + 2]))
            guard rest.count >= size else { return .refused }
            rest = rest.dropFirst(size)
        }
        return .header(ProxyHeader(source: source, byteCount: byteCount))
    }

    // Version 1 (§2.1).

    private static let word = Array("PROXY ".utf8)
    private static let maximumTextByteCount = 107

    private static func text(_ bytes: [UInt8]) -> Reading {
        let line = bytes.prefix(maximumTextByteCount)
        guard let end = line.firstIndex(of: 0x0D) else {
            return line.count < maximumTextByteCount ? .incomplete : .refused
        }
        guard end + 1 < line.count else { return line.count < maximumTextByteCount ? .incomplete : .refused }
        guard line[end + 1] == 0x0A, line[..<end].allSatisfy({ (0x20...0x7E).contains($0) }) else { return .refused }
        let words = String(decoding: line[..<end], as: UTF8.self)
            .split(separator: " ", omittingEmptySubsequences: false).dropFirst()
        // What follows UNKNOWN is to be left out.
        if words.first == "UNKNOWN" { return .header(ProxyHeader(source: nil, byteCount: end + 2)) }
        let parts = Array(words)
        guard parts.count == 5, let source = IPAddress(parts[1]), IPAddress(parts[2]) != nil,
            ["TCP4", "TCP6"].contains(parts[0]),
            parts[1...2].allSatisfy({ $0.contains(":") == (parts[0] == "TCP6") }), parts[3...4].allSatisfy(isPort)
        else { return .refused }
        return .header(ProxyHeader(source: source, byteCount: end + 2))
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard let number = UInt16(text) else { return false }
        return String(number) == text
    }
}
