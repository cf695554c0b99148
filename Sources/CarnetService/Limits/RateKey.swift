import Cryptography

/// Whose bucket it is, in 17 bytes whatever the name.
public struct RateKey: Sendable, Hashable {
    private let kind: UInt8
    private let high: UInt64
    private let low: UInt64

    /// A client by its address: an IPv4 address, or an IPv6 network of 64 bits. `nil` is whoever has none.
    init(_ address: IPAddress?) {
        kind = address == nil ? 0 : 1
        high = address?.client.high ?? 0
        low = address?.client.low ?? 0
    }

    /// Somebody by name: the first 16 bytes of its SHA-256.
    ///
    /// - Parameter kind: Tells names of different kinds apart: 2 to 255.
    public init(kind: UInt8, _ name: [UInt8]) {
        let digest = HashAlgorithm.sha256.hash(name)
        self.kind = max(2, kind)
        high = digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = digest.dropFirst(8).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The holder of an API token.
    init(_ principal: Principal) { self.init(kind: 2, Array(principal.id.utf8)) }
}
