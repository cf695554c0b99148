import CarnetRecords
package import CarnetService

extension VerifierConfiguration {
    /// Limits of what a verifier does for machines. Those of every request and connection are in `ServiceLimits`.
    package struct WorkLimits: Sendable {
        /// How often one machine may get its evidence appraised, counted by its attestation key once a quote has proven it, for passports
        /// and for background checks apart.
        package var nodeRate = RateLimit(perMinute: 60, burst: 60)
        /// How many enrolments and pieces of evidence are worked on at once, and how many wait.
        package var queue = WorkQueue.Size(running: 32, waiting: 512, seconds: 10)
        /// The clock of all rates.
        package var clock = RateClock.system

        /// The limits as they are meant for production.
        package init() {}
    }

    /// The range of `total-body-bytes`: at the least, half of it is room for the longest evidence, and a quarter more for the longest set of
    /// reference values.
    private static let totalBodyBytes = 128 << 20...1 << 40

    /// Checks that every limit is one.
    func checkLimits() throws(VerifierConfigurationError) {
        let rates = RateLimit.range
        let numbers: [(String, Int, ClosedRange<Int>)] = [
            ("client-rate", limits.clientRate.perMinute, rates),
            ("client-burst", limits.clientRate.burst, 1...rates.upperBound),
            ("node-rate", workLimits.nodeRate.perMinute, rates),
            ("node-burst", workLimits.nodeRate.burst, 1...rates.upperBound),
            ("connections", limits.connectionCount, 16...1_000_000),
            ("connections-per-client", limits.connectionCountPerClient, 1...1_000_000),
            ("total-body-bytes", limits.totalBodyByteCount, Self.totalBodyBytes),
            ("work-running", workLimits.queue.running, 1...10_000),
            ("work-waiting", workLimits.queue.waiting, 0...100_000),
            ("work-wait-seconds", workLimits.queue.seconds, 1...300),
        ]
        for (name, value, range) in numbers where !range.contains(value) { throw .limit(name, value, range) }
        guard limits.trustedProxies.count <= 1024 else {
            throw .limit("trusted-proxy", limits.trustedProxies.count, 0...1024)
        }
        guard !limits.proxyProtocol || !limits.trustedProxies.isEmpty else { throw .proxyProtocolWithoutProxy }
    }
}
