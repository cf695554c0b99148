package import CarnetService

/// To which addresses a verifier sends messages.
///
/// Whoever may add a subscription could else make the verifier ask what only the verifier can reach: another service on its machine, a metadata
/// service of a cloud, an appliance in its network.
package struct ReceiverRules: Sendable, Hashable {
    /// What the operator of the verifier allows beside the public internet.
    let allowed: [AddressRange]

    /// The public internet, and these.
    package init(allowing allowed: [AddressRange] = []) { self.allowed = allowed }

    /// Whether messages are sent there.
    func allows(_ address: IPAddress) -> Bool {
        if allowed.contains(where: { $0.contains(address) }) { return true }
        if address.isIPv4 { return !Self.special.contains { $0.contains(address) } }
        return Self.global.contains { $0.contains(address) } && !Self.special.contains { $0.contains(address) }
    }

    /// IPv6 that is routed in the internet at all (RFC 4291 §2.4). What embeds IPv4 in another prefix is not among it.
    private static let global = ["2000::/3"].compactMap { AddressRange($0) }

    /// What IANA's registries of special-purpose addresses (RFC 6890) keep from the internet, multicast (RFC 5771), and IPv6 that carries IPv4 in it
    /// (Teredo, 6to4).
    private static let special = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    ].compactMap { AddressRange($0) }
}
