/// Limits that hold for every request, before anything of it is parsed.
public struct ServiceLimits: Sendable, Hashable {
    /// The longest header field, in bytes.
    public var headerFieldByteCount = 8 * 1024
    /// The longest header, in bytes.
    public var headerByteCount = 16 * 1024
    /// The most header fields.
    public var headerFieldCount = 64
    /// The most bytes of bodies in memory, for all requests together.
    public var totalBodyByteCount = 256 * 1024 * 1024
    /// How long a connection may be silent, in seconds. It holds for the TLS handshake too.
    public var idleSeconds = 30
    /// How long a request may take from its first line to its last byte, in seconds.
    public var requestSeconds = 20
    /// The most connections at once; more wait to be accepted.
    public var connectionCount = 4096

    /// How long a service that was asked to stop goes on answering, while `readyz` says that it stops, in seconds.
    public var drainSeconds = 0
    /// How long after that the requests which are being answered may take, in seconds; they are cut off then.
    public var finishSeconds = 25

    /// The limits as they are meant for production.
    public init() {}
}
