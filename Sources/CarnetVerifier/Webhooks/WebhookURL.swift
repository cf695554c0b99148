import CarnetService

/// Where messages go: an https URL, read so strictly that no two programs read it differently.
package struct WebhookURL: Sendable, Hashable {
    /// The URL as it is asked for: at most 2048 visible characters of ASCII, the host in lower case.
    package let text: String
    /// The name or address of the receiver, IPv6 without brackets.
    let host: String
    /// The address, when the host is one.
    let address: IPAddress?
    /// Whether it is asked with TLS.
    let isSecure: Bool
    /// Scheme, host and port.
    package let origin: String

    /// Why a text is no such URL.
    package struct Unusable: Error, Hashable {
        /// A sentence for the operator.
        package let reason: String
    }

    /// Reads a URL.
    ///
    /// - Parameter rules: `http` goes to an address of loopback alone, and only where these allow that.
    package init(_ text: String, _ rules: ReceiverRules) throws(Unusable) {
        guard (1...2048).contains(text.utf8.count), text.utf8.allSatisfy({ Self.characters.contains($0) }) else {
            throw Unusable(reason: "A URL has 1 to 2048 characters of ASCII, as in https://pager.example/carnet.")
        }
        let scheme = text.prefix(8).lowercased()
        isSecure = scheme == "https://"
        guard isSecure || scheme.hasPrefix("http://") else { throw Unusable(reason: "A URL begins with https://.") }
        let rest = text.dropFirst(isSecure ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !rest.contains("#"), !authority.contains("@") else {
            throw Unusable(reason: "A URL here has no fragment, and no name or password in it.")
        }
        let (name, port) = try Self.split(authority)
        address = IPAddress(name)
        let host = address?.description ?? name
        self.host = host
        guard address != nil || Self.isName(host) else {
            throw Unusable(reason: "The URL's host is neither a name nor an address in its usual form.")
        }
        if let address, !rules.allows(address) { throw Unusable(reason: Self.refusal(of: address)) }
        guard isSecure || (address?.isLoopback ?? false) else {
            throw Unusable(reason: "Only an address of loopback is asked without TLS: use https://.")
        }
        let written = address != nil && host.contains(":") ? "[\(host)]" : host
        origin = (isSecure ? "https://" : "http://") + written + (port.map { ":\($0)" } ?? "")
        let path = rest.dropFirst(authority.count)
        guard !path.contains("["), !path.contains("]"), Self.hasGoodPercents(path) else {
            throw Unusable(
                reason: "The URL's path or query has a bracket, or a percent sign without two hexadecimal digits.")
        }
        self.text = origin + (path.hasPrefix("/") ? "" : "/") + path
    }

    /// The sentence for an address to which nothing is sent.
    static func refusal(of address: IPAddress) -> String {
        "Messages are not sent to \(address), which is not in the public internet. The verifier's --webhook-allow can allow it."
    }

    /// RFC 3986: unreserved, reserved without quotation marks, and percent.
    private static let characters = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&()*+,;=%".utf8)

    private static func hasGoodPercents(_ text: Substring) -> Bool {
        text.split(separator: "%", omittingEmptySubsequences: false).dropFirst().allSatisfy { part in
            part.utf8.count >= 2
                && part.utf8.prefix(2).allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
                }
        }
    }

    private static func split(_ authority: Substring) throws(Unusable) -> (host: String, port: UInt16?) {
        let host: Substring, rest: Substring
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            rest = authority[authority.index(after: end)...]
            guard host.contains(":") else { throw Unusable(reason: "In the URL's brackets there is no IPv6 address.") }
        } else {
            host = authority.prefix { $0 != ":" }
            rest = authority.dropFirst(host.count)
        }
        guard !rest.isEmpty else { return (host.lowercased(), nil) }
        let digits = rest.dropFirst()
        guard rest.hasPrefix(":"), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits),
            port > 0
        else { throw Unusable(reason: "The URL's port is not a number from 1 to 65535.") }
        return (host.lowercased(), port)
    }

    /// A host name (RFC 1123 §2.1). One whose last label is a number is none: programs take it for an address, in many forms.
    private static func isName(_ host: String) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard host.utf8.count <= 253, let last = labels.last, let first = last.utf8.first,
            !(0x30...0x39).contains(first)
        else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        }
    }
}
