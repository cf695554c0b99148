package import ArgumentParser
package import CarnetService

/// How much one client and all together may ask of a service.
package struct ClientLimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How often one address, and one API token, may ask in a minute; 0 for no limit.", valueName: "number"))
    package var clientRate = ServiceLimits().clientRate.perMinute

    @Option(
        help: ArgumentHelp("How often it may ask at once, after it was silent for a while.", valueName: "number"))
    package var clientBurst = ServiceLimits().clientRate.burst

    @Option(help: ArgumentHelp("The most connections at once.", valueName: "number"))
    package var connections = ServiceLimits().connectionCount

    @Option(help: ArgumentHelp("The most connections of one address.", valueName: "number"))
    package var connectionsPerClient = ServiceLimits().connectionCountPerClient

    @Option(
        help: ArgumentHelp(
            "How many bytes of requests' bodies are in memory at once.", valueName: "number"))
    package var totalBodyBytes = ServiceLimits().totalBodyByteCount

    @Option(
        help: ArgumentHelp(
            "A proxy whose X-Forwarded-For is believed: 192.0.2.7 or 10.0.0.0/8. Repeat it for more.",
            valueName: "addresses"))
    package var trustedProxy: [String] = []

    @Flag(help: "Take connections from these proxies only, each of which begins with a PROXY header (version 1 or 2).")
    package var proxyProtocol = false

    package init() {}

    /// Puts the limits into a service's, which its configuration checks.
    package func apply(to limits: inout ServiceLimits) throws {
        limits.clientRate = RateLimit(perMinute: clientRate, burst: clientBurst)
        limits.connectionCount = connections
        limits.connectionCountPerClient = connectionsPerClient
        limits.totalBodyByteCount = totalBodyBytes
        limits.proxyProtocol = proxyProtocol
        limits.trustedProxies = try trustedProxy.map { text in
            guard let range = AddressRange(text) else {
                throw ValidationError(
                    "--trusted-proxy \(text) is no IP address, and no network such as 10.0.0.0/8 or 2001:db8::/32 with zeros behind its prefix"
                )
            }
            return range
        }
    }
}
