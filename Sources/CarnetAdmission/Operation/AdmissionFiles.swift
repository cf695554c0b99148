import CarnetRelyingParty
import CarnetRelyingService
import CarnetService
import KubernetesAPI
import NodeAdmission

/// What a gate reads of its settings and files before it does anything. Making one checks all that can be wrong with them.
struct AdmissionFiles: Sendable {
    /// What it shows to TLS clients; `nil` for plain HTTP.
    let certificate: ServerCertificate?
    let trust: TrustKeeper
    let rules: AdmissionRules
    let client: KubernetesClient

    /// How many accepted passports are remembered: some more than a large cluster has nodes.
    private static let memory = 16_384

    init(_ configuration: AdmissionConfiguration) throws {
        try configuration.check()
        certificate = try configuration.security.certificate(for: configuration.address)
        if let address = configuration.metricsAddress, !address.isLoopback, configuration.security == .plainHTTP {
            throw ServiceStartError.plainHTTPBeyondLoopback(address)
        }
        trust = try TrustKeeper(
            configuration.trust, audience: configuration.audience, remembering: Self.memory, now: configuration.now
        ) { base in
            var expectations = AdmissionRules.expectations(issuer: base.issuer, audience: base.audience)
            expectations.minimumTier = configuration.minimumTier
            expectations.policyIDs = configuration.policies
            expectations.revocation = .checked(
                maximumStaleness: configuration.maximumStatusAge, requiresStatus: true)
            return expectations
        }
        var rules = configuration.rules
        rules.serving.reserved.insert(configuration.cluster.host)
        if let file = configuration.namesFile { rules.names = try NodeNamesFile.read(file) }
        self.rules = rules
        do throws(ClusterConfiguration.Unusable) { client = try KubernetesClient(configuration.cluster) } catch {
            throw ServiceStartError.unreadable("the API server's configuration", error.description)
        }
    }
}
