import ArgumentParser
import CarnetCommandLine
import NodeAdmission

/// A certificate request, and what a cluster's API server would have said about it.
struct AdmitRequestOptions: ParsableArguments {
    @Option(help: "The file of a certificate request in PEM, and of the passport behind it; - is standard input.")
    var csr: String?

    @Option(help: "What is asked for: client (the kubelet's certificate) or serving (that of its own API).")
    var signer: SignerWord = .client

    @Option(
        help:
            "A usage that is asked for; repeat for several. By default digital signature, and client auth or server auth."
    )
    var usage: [String] = []

    @Option(help: "The life that is asked for, in seconds; by default that is not looked at.")
    var expirationSeconds: Int64?

    @Option(help: "The longest life that may be asked for, in seconds.")
    var maximumLife: Int64 = 14_400

    @Option(help: "Who asks; by default the node itself, system:node:NAME.")
    var user: String?

    @Option(help: "A group of who asks; repeat for several. By default system:nodes.")
    var group: [String] = []

    @Option(
        help:
            "A group that may ask for a node's first certificate; repeat for several. By default system:bootstrappers.")
    var bootstrapGroup: [String] = []

    @Option(help: "An address of the node, for a serving certificate; repeat for several.")
    var address: [String] = []

    @Option(
        help: "A domain in which the node may be called by its name, for a serving certificate; repeat for several.")
    var servingSuffix: [String] = []

    enum SignerWord: String, ExpressibleByArgument, CaseIterable {
        case client, serving

        var signer: NodeCertificateRequest.Signer { self == .client ? .apiServerClientKubelet : .kubeletServing }
    }

    func validate() throws {
        guard maximumLife >= AdmissionRules.minimumCertificateLife else {
            throw ValidationError("--maximum-life is at least \(AdmissionRules.minimumCertificateLife).")
        }
    }

    /// What the cluster says of the node's addresses; `nil` where none was given.
    var known: KnownNode? { address.isEmpty ? nil : KnownNode(addresses: address, addressesOfOthers: []) }

    func rules(_ cluster: ClusterOptions) throws -> AdmissionRules {
        var rules = AdmissionRules(names: try cluster.nodeNames())
        rules.maximumCertificateLife = maximumLife
        rules.allowsUnboundedLife = expirationSeconds == nil
        if !bootstrapGroup.isEmpty { rules.bootstrapGroups = Set(bootstrapGroup) }
        rules.serving.suffixes = Set(servingSuffix)
        return rules
    }

    func request(_ text: [UInt8], for node: String) -> NodeCertificateRequest {
        let purpose = signer == .client ? "client auth" : "server auth"
        return NodeCertificateRequest(
            name: csr ?? "", signer: signer.signer, request: text,
            usages: usage.isEmpty ? ["digital signature", purpose] : usage, expirationSeconds: expirationSeconds,
            username: user ?? NodeName.userPrefix + node,
            groups: group.isEmpty && user == nil ? [NodeName.group] : group)
    }
}
