import ArgumentParser
import CarnetAdmission
import NodeAdmission

/// Which requests for nodes' certificates may be signed.
struct RequestOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The label of a machine at the verifier that says which node it is; by default kubernetes-node.",
            valueName: "label"))
    var nameLabel: String?

    @Option(
        help: ArgumentHelp(
            "A file that says which machine is which node, in place of the label; read at the start.",
            valueName: "file"))
    var names: String?

    @Option(
        help: ArgumentHelp(
            "A group that may ask for a node's first certificate; by default system:bootstrappers. Repeat it for more.",
            valueName: "group"))
    var bootstrapGroup: [String] = []

    @Option(
        help: ArgumentHelp(
            "The longest life of a certificate, 600 or more: a node attests again at least that often.",
            valueName: "seconds"))
    var maximumCertificateSeconds: Int64 = 14_400

    @Flag(help: "Take requests that name no life, in clusters before 1.22: the signer then gives them a year.")
    var allowUnboundedLife = false

    @Option(
        help: ArgumentHelp(
            "A domain in which a node's serving certificate may name it. Repeat it for more.", valueName: "domain"))
    var servingSuffix: [String] = []

    @Option(
        help: ArgumentHelp(
            "A network in which nodes' addresses lie, such as 10.0.0.0/8. Repeat it for more; by default any.",
            valueName: "network"))
    var servingNetwork: [String] = []

    @Option(
        help: ArgumentHelp(
            "The gate's own user; by default the service account carnet-admission of its namespace.",
            valueName: "user"))
    var gateUser: String?

    @Option(
        help: ArgumentHelp(
            "A group whose members may change the gate's marks on nodes. Repeat it for more.", valueName: "group"))
    var operatorsGroup: [String] = []

    func apply(to configuration: inout AdmissionConfiguration) throws {
        if let nameLabel { configuration.rules.names = NodeNames(label: nameLabel) }
        configuration.namesFile = names
        if !bootstrapGroup.isEmpty { configuration.rules.bootstrapGroups = Set(bootstrapGroup) }
        guard (600...31_536_000).contains(maximumCertificateSeconds) else {
            throw ValidationError("--maximum-certificate-seconds is 600 to 31536000.")
        }
        configuration.rules.maximumCertificateLife = maximumCertificateSeconds
        configuration.rules.allowsUnboundedLife = allowUnboundedLife
        configuration.rules.serving.suffixes = Set(servingSuffix)
        configuration.rules.serving.networks = try servingNetwork.map { text in
            guard let network = AddressNetwork(text) else {
                throw ValidationError(
                    "--serving-network \(text) is no network such as 10.0.0.0/8 with zeros behind its prefix")
            }
            return network
        }
        configuration.gateUser = gateUser
        configuration.operatorGroups = Set(operatorsGroup)
    }
}
