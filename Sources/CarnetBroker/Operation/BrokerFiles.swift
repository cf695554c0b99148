import CarnetRelyingParty
import CarnetRelyingService
import CarnetRecords
import CarnetService

/// What a broker reads of its settings and files before it opens its database. Making one checks all that can be wrong with them; nothing is
/// changed.
struct BrokerFiles: Sendable {
    /// What it shows to TLS clients; `nil` for plain HTTP.
    let certificate: ServerCertificate?
    /// Operators by the certificates of their TLS clients.
    let clients: ClientCertificates?
    let trust: TrustKeeper

    init(_ configuration: BrokerConfiguration) throws {
        try configuration.check()
        certificate = try configuration.security.certificate(for: configuration.address)
        if let address = configuration.metricsAddress, !address.isLoopback, configuration.security == .plainHTTP {
            throw ServiceStartError.plainHTTPBeyondLoopback(address)
        }
        clients = try configuration.clientCertificates.map { settings throws(ServiceStartError) in
            try settings.open(configuration.records.clock)
        }
        let maximumStatusAge = configuration.maximumStatusAge, clock = configuration.records.clock
        trust = try TrustKeeper(configuration.trust, audience: configuration.audience, now: { clock.now }) { base in
            // The policies demand the rest.
            var expectations = base
            expectations.minimumTier = .warning
            expectations.minimumKeyProtection = .software
            expectations.revocation = .checked(maximumStaleness: maximumStatusAge, requiresStatus: true)
            return expectations
        }
    }
}

/// What is wrong with a configuration. Each message says what to give instead.
package enum BrokerConfigurationError: Error, Equatable, CustomStringConvertible {
    /// A setting, and what is wrong with it.
    case setting(String, String)

    /// A sentence for the operator.
    package var description: String {
        switch self {
        case .setting(let name, let reason): "--\(name): \(reason)"
        }
    }
}

extension BrokerConfiguration {
    /// Checks what the types do not.
    package func check() throws(BrokerConfigurationError) {
        let isVisible = { (text: String) in
            (1...256).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }
        guard isVisible(url), !url.hasSuffix("/"), !url.contains(where: { "?#\"\\".contains($0) }),
            url.hasPrefix("https://") || (url.hasPrefix("http://") && security == .plainHTTP)
        else {
            throw .setting("url", "\(url) is not how machines call the broker, such as https://broker.example")
        }
        guard isVisible(audience) else {
            throw .setting("audience", "\(audience) is not a name of 1 to 256 visible characters of ASCII")
        }
        // A verifier signs its lists once a minute, and they are fetched when they are due: between two, none is younger.
        var youngest: Int64 = 0
        if case .issuer = trust { youngest = 120 }
        guard (youngest...86_400).contains(maximumStatusAge) else {
            throw .setting("maximum-status-age", "it is \(youngest) to 86400 seconds")
        }
        if let fault = clientCertificates?.fault(security) { throw .setting("client-ca", fault) }
        let rates = RateLimit.range
        let numbers: [(String, Int, ClosedRange<Int>)] = [
            ("client-rate", limits.clientRate.perMinute, rates),
            ("client-burst", limits.clientRate.burst, 1...rates.upperBound),
            ("machine-rate", machineRate.perMinute, rates),
            ("machine-burst", machineRate.burst, 1...rates.upperBound),
            ("connections", limits.connectionCount, 16...1_000_000),
            ("connections-per-client", limits.connectionCountPerClient, 1...1_000_000),
            ("total-body-bytes", limits.totalBodyByteCount, 128 << 20...1 << 40),
        ]
        for (name, value, range) in numbers where !range.contains(value) {
            throw .setting(name, "\(value) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        guard !limits.proxyProtocol || !limits.trustedProxies.isEmpty else {
            throw .setting("proxy-protocol", "it lets nobody in but proxies: name them with --trusted-proxy")
        }
    }
}
