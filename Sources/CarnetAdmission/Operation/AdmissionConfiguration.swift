package import CarnetRelyingParty
package import CarnetRelyingService
package import CarnetResult
package import CarnetService
package import KubernetesAPI
package import Logging
package import NodeAdmission

/// How a gate is run.
package struct AdmissionConfiguration: Sendable {
    /// What a gate does.
    package enum Gate: String, Sendable, Hashable, CaseIterable {
        /// Approves requests for nodes' certificates.
        case approver
        /// Answers the API server before it takes something.
        case webhook
        /// Taints, labels and tells of nodes.
        case controller
    }

    /// Which gates are used.
    package var gates: Set<Gate> = Set(Gate.allCases)
    /// The API server, and with what the gate shows itself.
    package var cluster: ClusterConfiguration
    /// The gate's own namespace: of the lease, and of the operator's word.
    package var namespace = "carnet"
    /// Who this replica is among the others.
    package var identity: String
    /// How long a leader may be silent before another takes over: 3 to 300 seconds.
    package var leaseDuration = Duration.seconds(15)
    /// Where to listen.
    package var address: ListenAddress
    /// How bytes travel.
    package var security: TransportSecurity
    /// How often the files of the TLS certificate are looked at.
    package var certificateInterval = Duration.seconds(60)
    /// Where `/metrics` is served: an address of its own, or `nil`.
    package var metricsAddress: ListenAddress?
    /// Whether `/metrics` is served beside the other calls.
    package var servesMetrics = false
    /// The cluster's name in passports' `aud`.
    package var audience: String
    /// Where keys, lists or bundles come from.
    package var trust: TrustOrigin
    /// How old a status list may be, in seconds: 0 to 86400.
    package var maximumStatusAge: Int64 = 300
    /// The worst tier of a machine that may be a node.
    package var minimumTier = TrustTier.affirming
    /// The policies of which a passport has to name one, as identifiers with or without a version; empty for any.
    package var policies: Set<String> = []
    /// Which requests may be signed.
    package var rules = AdmissionRules()
    /// The file in which an operator says which machine is which node; `nil` where labels say it.
    package var namesFile: String?
    /// The gate's own user, who alone writes its marks and approves.
    package var gateUser: String?
    /// The groups whose members may write the gate's marks too.
    package var operatorGroups: Set<String> = []
    /// How long nodes keep their place, and how many may lose it.
    package var limits = TaintLimits()
    /// Nodes that are never tainted.
    package var exemptNodes: Set<String> = []
    /// Limits of every request to the gate.
    package var serviceLimits = ServiceLimits()
    /// The clock of all rates.
    package var rateClock = RateClock.system
    /// How often a bundle's file is read again.
    package var bundleInterval = Duration.seconds(30)
    /// How often the controller looks whether a time has come.
    package var tick = Duration.seconds(1)
    /// The time in seconds since 1970.
    package var now: @Sendable () -> Int64
    /// Where to tell what happens.
    package var logger: Logger

    /// A configuration with what has no default.
    package init(
        cluster: ClusterConfiguration, identity: String, address: ListenAddress, security: TransportSecurity,
        audience: String, trust: TrustOrigin, now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.cluster = cluster
        self.identity = identity
        self.address = address
        self.security = security
        self.audience = audience
        self.trust = trust
        self.now = now
        self.logger = logger
    }

    /// The gate's own user, as it was said or as its account in its namespace is called.
    package var user: String { gateUser ?? "system:serviceaccount:\(namespace):carnet-admission" }
}
