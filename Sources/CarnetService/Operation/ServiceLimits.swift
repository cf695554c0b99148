/// Limits that hold for every request and connection, before anything of it is parsed. All of them stand here, and in the operators' guide
/// under “Limits”.
public struct ServiceLimits: Sendable, Hashable {
    // Sizes.

    /// The longest header field, in bytes.
    public var headerFieldByteCount = 8 * 1024
    /// The longest header, in bytes.
    public var headerByteCount = 16 * 1024
    /// The most header fields.
    public var headerFieldCount = 64
    /// The most bytes of bodies in memory, for all requests together. Each route says how long its own may be.
    public var totalBodyByteCount = 256 * 1024 * 1024
    /// What an ordinary body has at most, in bytes. So much of each comes out of a reserve that large ones cannot fill; larger ones take
    /// turns.
    public var ordinaryBodyByteCount = 512 * 1024

    // Times.

    /// From the beginning of a connection, or of a further request on it, to the end of the request's head, in seconds. It holds for the
    /// TLS handshake too.
    public var headSeconds = 10
    /// How long a body may take, however slowly it comes, in seconds.
    public var bodyGraceSeconds = 10
    /// How many bytes buy a body another second after that.
    public var bodyBytesPerSecond = 16 * 1024
    /// How long a request may take from the end of its head to its last byte at most, in seconds.
    public var requestSeconds = 20
    /// How long a connection may be silent between requests, in seconds.
    public var idleSeconds = 30
    /// How long an answer may wait until its client has read the next part of it, in seconds.
    public var answerSeconds = 30

    // Connections.

    /// The most connections at once. When they are all taken, the one that has waited longest for its client is closed for a new one.
    public var connectionCount = 4096
    /// The most connections of one client: an IPv4 address, or the /64 of an IPv6 address. Trusted proxies have no such limit.
    public var connectionCountPerClient = 512

    // Rates.

    /// How often one client may ask, and one API token. Health and metrics are always answered.
    public var clientRate = RateLimit(perMinute: 6000, burst: 3000)
    /// Proxies whose `X-Forwarded-For` says who the client is. Nobody else's is read.
    public var trustedProxies: [AddressRange] = []
    /// Whether every connection comes from one of them and begins with a ``ProxyHeader``, which says whose it is.
    public var proxyProtocol = false

    // The end.

    /// How long a service that was asked to stop goes on answering, while `readyz` says that it stops, in seconds.
    public var drainSeconds = 0
    /// How long after that the requests which are being answered may take, in seconds; they are cut off then.
    public var finishSeconds = 25

    /// The limits as they are meant for production.
    public init() {}
}
