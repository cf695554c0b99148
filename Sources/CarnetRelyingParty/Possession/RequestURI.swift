/// An absolute http or https URI without query and fragment, in one spelling (RFC 3986 §6.2.2 and §6.2.3).
struct RequestURI: Hashable {
    private let normalized: String

    /// Reads a URI; `nil` when it is not absolute, has user information, or is not ASCII.
    init?(_ text: String) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let bare = text.prefix { $0 != "?" && $0 != "#" }
        guard let colon = bare.firstIndex(of: ":") else { return nil }
        let scheme = bare[..<colon].lowercased()
        let defaultPort: String
        switch scheme {
        case "https": defaultPort = ":443"
        case "http": defaultPort = ":80"
        default: return nil
        }
        var rest = bare[bare.index(after: colon)...]
        guard rest.hasPrefix("//") else { return nil }
        rest = rest.dropFirst(2)
        let authorityEnd = rest.firstIndex(of: "/") ?? rest.endIndex
        var authority = rest[..<authorityEnd].lowercased()
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        if authority.hasSuffix(defaultPort) { authority.removeLast(defaultPort.count) }
        if authority.hasSuffix(":") { authority.removeLast() }
        guard let path = Self.normalizedPath(rest[authorityEnd...]) else { return nil }
        normalized = scheme + "://" + authority + path
    }

    /// Percent-encoded unreserved characters decoded, other escapes in upper case, dot segments removed.
    private static func normalizedPath(_ path: Substring) -> String? {
        var output: [UInt8] = []
        var input = Array(path.utf8)[...]
        while let character = input.popFirst() {
            guard character == UInt8(ascii: "%") else {
                output.append(character)
                continue
            }
            guard let high = input.popFirst(), let low = input.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16), high != UInt8(ascii: "+"),
                high != UInt8(ascii: "-")
            else { return nil }
            switch value {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: output.append(value)
            default: output += "%".utf8 + Array(String(decoding: [high, low], as: UTF8.self).uppercased().utf8)
            }
        }
        var segments: [Substring] = []
        let text = String(decoding: output, as: UTF8.self)
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (number, part) in parts.enumerated() {
            let isLast = number == parts.count - 1
            switch part {
            case ".": if isLast { segments.append("") }
            case "..":
                _ = segments.popLast()
                if isLast { segments.append("") }
            default: segments.append(part)
            }
        }
        return "/" + segments.joined(separator: "/")
    }
}
