import CarnetRecords
import ArgumentParser
import CarnetService
import CarnetVerifier

/// How much one client, one machine and all together may ask of a verifier.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How often one address, and one API token, may ask in a minute; 0 for no limit.", valueName: "number"))
    var clientRate = ServiceLimits().clientRate.perMinute

    @Option(
        help: ArgumentHelp("How often it may ask at once, after it was silent for a while.", valueName: "number"))
    var clientBurst = ServiceLimits().clientRate.burst

    @Option(
        help: ArgumentHelp(
            "How often one machine may get evidence appraised in a minute; 0 for no limit.", valueName: "number"))
    var nodeRate = VerifierConfiguration.WorkLimits().nodeRate.perMinute

    @Option(help: ArgumentHelp("How often it may at once.", valueName: "number"))
    var nodeBurst = VerifierConfiguration.WorkLimits().nodeRate.burst

    @Option(help: ArgumentHelp("The most connections at once.", valueName: "number"))
    var connections = ServiceLimits().connectionCount

    @Option(help: ArgumentHelp("The most connections of one address.", valueName: "number"))
    var connectionsPerClient = ServiceLimits().connectionCountPerClient

    @Option(
        help: ArgumentHelp(
            "How many bytes of requests' bodies are in memory at once.", valueName: "number"))
    var totalBodyBytes = ServiceLimits().totalBodyByteCount

    @Option(
        help: ArgumentHelp(
            "How many enrolments and pieces of evidence are worked on at once.", valueName: "number"))
    var workRunning = VerifierConfiguration.WorkLimits().queue.running

    @Option(help: ArgumentHelp("How many wait for that; beyond, the answer is 503.", valueName: "number"))
    var workWaiting = VerifierConfiguration.WorkLimits().queue.waiting

    @Option(help: ArgumentHelp("How long one waits for that at most.", valueName: "seconds"))
    var workWaitSeconds = VerifierConfiguration.WorkLimits().queue.seconds

    @Option(
        help: ArgumentHelp(
            "A proxy whose X-Forwarded-For is believed: 192.0.2.7 or 10.0.0.0/8. Repeat it for more.",
            valueName: "addresses"))
    var trustedProxy: [String] = []

    @Flag(help: "Take connections from these proxies only, each of which begins with a PROXY header (version 1 or 2).")
    var proxyProtocol = false

    /// Puts the limits into a configuration, which checks them.
    func apply(to configuration: inout VerifierConfiguration) throws {
        configuration.limits.clientRate = RateLimit(perMinute: clientRate, burst: clientBurst)
        configuration.workLimits.nodeRate = RateLimit(perMinute: nodeRate, burst: nodeBurst)
        configuration.limits.connectionCount = connections
        configuration.limits.connectionCountPerClient = connectionsPerClient
        configuration.limits.totalBodyByteCount = totalBodyBytes
        configuration.workLimits.queue = WorkQueue.Size(
            running: workRunning, waiting: workWaiting, seconds: workWaitSeconds)
        configuration.limits.proxyProtocol = proxyProtocol
        configuration.limits.trustedProxies = try trustedProxy.map { text in
            guard let range = AddressRange(text) else {
                throw ValidationError(
                    "--trusted-proxy \(text) is no IP address, and no network such as 10.0.0.0/8 or 2001:db8::/32 with zeros behind its prefix"
                )
            }
            return range
        }
    }
}
