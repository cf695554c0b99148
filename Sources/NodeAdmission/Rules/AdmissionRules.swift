public import CarnetRelyingParty
internal import CarnetResult

/// Which requests for nodes' certificates may be signed in a cluster. The defaults are the safe ones.
///
/// Pure: what decides is the request, the verifier's keys and lists, what is known of the node, and a time.
public struct AdmissionRules: Sendable, Hashable {
    /// Which node a machine is.
    public var names: NodeNames
    /// The groups that may ask for a node's first certificate: bootstrap tokens'.
    public var bootstrapGroups: Set<String> = ["system:bootstrappers"]
    /// The longest life that may be asked for, in seconds: a node attests again at least that often. Below 600 counts as 600, which is
    /// the shortest that Kubernetes knows.
    public var maximumCertificateLife: Int64 = 14_400 {
        didSet { maximumCertificateLife = max(maximumCertificateLife, Self.minimumCertificateLife) }
    }
    /// Whether a request may leave its life to the signer, who takes a year: for clusters older than 1.22, which know no
    /// `expirationSeconds`.
    public var allowsUnboundedLife = false
    /// What serving certificates may name.
    public var serving = ServingRules()

    /// The shortest life that Kubernetes lets be asked for, in seconds.
    public static let minimumCertificateLife: Int64 = 600

    /// What serving certificates may name besides the node itself.
    public struct ServingRules: Sendable, Hashable {
        /// Domains, such as `nodes.example`: a node may be called by its name with one of them after a dot.
        public var suffixes: Set<String> = []
        /// Networks in which nodes' addresses lie; empty where they may lie anywhere. A kubelet states its node's addresses itself, so that
        /// without networks it can take any that no other node has.
        public var networks: [AddressNetwork] = []

        /// Addresses that no node has, as text: the API server's. Whoever had a certificate for one of them could pass for it.
        public var reserved: Set<String> = []

        /// Only the node's own name, and its addresses.
        public init() {}
    }

    /// The default rules.
    public init(names: NodeNames = NodeNames()) { self.names = names }

    /// What a cluster demands of nodes' passports unless it demands more: affirming results for this cluster alone, bound to a key that a
    /// kubelet can use, which is one in a file.
    ///
    /// - Parameters:
    ///   - issuer: The verifier's `iss`.
    ///   - audience: The cluster's own name among the verifier's audiences, a URI. Each cluster needs its own.
    public static func expectations(issuer: String, audience: String) -> Expectations {
        var expectations = Expectations(issuer: issuer, audience: audience)
        expectations.minimumKeyProtection = .software
        return expectations
    }
}
