import CarnetRelyingService
import CarnetService
import NodeAdmission

/// What is wrong with a configuration. Each message says what to give instead.
package enum AdmissionConfigurationError: Error, Equatable, CustomStringConvertible {
    /// A setting, and what is wrong with it.
    case setting(String, String)

    /// A sentence for the operator.
    package var description: String {
        switch self {
        case .setting(let name, let reason): "--\(name): \(reason)"
        }
    }
}

extension AdmissionConfiguration {
    /// Checks what the types do not.
    package func check() throws(AdmissionConfigurationError) {
        let isVisible = { (text: String) in
            (1...256).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }
        guard !gates.isEmpty else { throw .setting("gates", "name at least one: approver, webhook, controller") }
        guard isVisible(audience) else {
            throw .setting("audience", "\(audience) is not a name of 1 to 256 visible characters of ASCII")
        }
        guard NodeName.isNamespace(namespace) else {
            throw .setting("namespace", "\(namespace) is not a namespace's name")
        }
        guard isVisible(identity) else { throw .setting("identity", "1 to 256 visible characters of ASCII are needed") }
        guard isVisible(user) else { throw .setting("gate-user", "\(user) is not a user's name") }
        if let node = exemptNodes.sorted().first(where: { !NodeName.isValid($0) }) {
            throw .setting("exempt-node", "\(node) is not a node's name")
        }
        // A verifier signs its lists once a minute, and they are fetched when they are due: between two, none is younger.
        var youngest: Int64 = 0
        if case .issuer(_, _, _, _) = trust { youngest = 120 }
        let numbers: [(String, Int64, ClosedRange<Int64>)] = [
            ("maximum-status-age", maximumStatusAge, youngest...86_400),
            ("maximum-certificate-seconds", rules.maximumCertificateLife, 600...31_536_000),
            ("lease-seconds", leaseDuration.components.seconds, 3...300),
            ("lapse-grace", limits.lapseGrace, 0...604_800), ("evict-after", limits.evictAfter, 0...2_592_000),
            ("refusal-grace", limits.refusalGrace, 0...604_800),
            ("new-node-age", limits.newNodeAge, 0...604_800),
            ("maximum-tainted-percent", Int64(limits.maximumTaintedPercent), 1...100),
            (
                "client-rate", Int64(serviceLimits.clientRate.perMinute),
                Int64(RateLimit.range.lowerBound)...Int64(RateLimit.range.upperBound)
            ),
            ("client-burst", Int64(serviceLimits.clientRate.burst), 1...Int64(RateLimit.range.upperBound)),
            ("connections", Int64(serviceLimits.connectionCount), 16...1_000_000),
            ("connections-per-client", Int64(serviceLimits.connectionCountPerClient), 1...1_000_000),
            ("total-body-bytes", Int64(serviceLimits.totalBodyByteCount), 128 << 20...1 << 40),
        ]
        for (name, value, range) in numbers where !range.contains(value) {
            throw .setting(name, "\(value) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        guard limits.evictAfter >= limits.lapseGrace else {
            throw .setting("evict-after", "it is not before --lapse-grace: \(limits.lapseGrace) or more")
        }
        guard !serviceLimits.proxyProtocol || !serviceLimits.trustedProxies.isEmpty else {
            throw .setting("proxy-protocol", "it lets nobody in but proxies: name them with --trusted-proxy")
        }
    }
}
