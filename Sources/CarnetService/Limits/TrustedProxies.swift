import HTTPTypes

/// The proxies in front of the service whose word on who called them is taken, and nobody else's.
struct TrustedProxies: Sendable {
    private let ranges: [AddressRange]

    /// The most addresses that are looked at in one request.
    private static let maximumHopCount = 32

    init(_ ranges: [AddressRange]) { self.ranges = ranges }

    /// Whether an address is a proxy's.
    func contains(_ address: IPAddress) -> Bool { ranges.contains { $0.contains(address) } }

    /// Who sent a request: the last address in `X-Forwarded-For` that is no trusted proxy's.
    ///
    /// Each proxy adds the address of whoever called it at the end, so the list is read from there, and only for as long as a trusted proxy
    /// vouches for the entry. What an untrusted caller wrote into the header itself is never reached. An entry that is no address ends the
    /// walk at the proxy that vouched for it.
    ///
    /// - Parameter peer: Who holds the other end of the connection.
    func client(of peer: IPAddress, _ headers: HTTPFields) -> IPAddress {
        guard contains(peer), let name = Self.field else { return peer }
        var client = peer
        let hops = headers[values: name].flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        for hop in hops.suffix(Self.maximumHopCount).reversed() {
            guard let address = Self.address(hop) else { break }
            client = address
            if !contains(address) { break }
        }
        return client
    }

    private static let field = HTTPField.Name("X-Forwarded-For")

    /// An entry: an address, with a port where a proxy adds one (`192.0.2.7:1234`, `[2001:db8::7]:1234`).
    private static func address(_ hop: Substring) -> IPAddress? {
        var text = hop.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        if text.first == "[" {
            let parts = text.dropFirst().split(separator: "]", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[1].isEmpty || isPort(parts[1]) else { return nil }
            return IPAddress(parts[0])
        }
        if let address = IPAddress(text) { return address }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, isPort(":" + parts[1]), parts[0].contains(".") else { return nil }
        return IPAddress(parts[0])
    }

    private static func isPort(_ text: some StringProtocol) -> Bool {
        text.first == ":" && UInt16(text.dropFirst()) != nil
    }
}
