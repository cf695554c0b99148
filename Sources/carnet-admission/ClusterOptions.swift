import ArgumentParser
import CarnetAdmission
import Foundation
import KubernetesAPI

/// Which cluster is gated, how it is reached, and by which gates.
struct ClusterOptions: ParsableArguments {
    /// One gate, or several with commas between them.
    struct GateList: ExpressibleByArgument {
        let gates: [AdmissionConfiguration.Gate]

        init?(argument: String) {
            let words = argument.split(separator: ",", omittingEmptySubsequences: false)
            gates = words.compactMap { AdmissionConfiguration.Gate(rawValue: String($0)) }
            guard gates.count == words.count else { return nil }
        }

        static var allValueStrings: [String] { AdmissionConfiguration.Gate.allCases.map(\.rawValue) }
        var defaultValueDescription: String { gates.map(\.rawValue).joined(separator: ",") }
        var description: String { defaultValueDescription }
    }

    @Option(
        help: ArgumentHelp("The cluster's own name in passports' aud: each cluster needs its own.", valueName: "uri"))
    var audience: String

    @Option(
        help: ArgumentHelp(
            "Which gates are used: approver, webhook, controller; by default all. With commas, or repeated.",
            valueName: "gate"))
    var gates: [GateList] = []

    @Option(
        help: ArgumentHelp(
            "How the API server is reached; by default as a pod of the cluster reaches it.", valueName: "file"))
    var kubeconfig: String?

    @Option(help: ArgumentHelp("The context of the kubeconfig, if not its current one.", valueName: "name"))
    var kubeContext: String?

    @Option(
        help: ArgumentHelp(
            "The gate's own namespace: of the Lease, and of the operator's word. By default the pod's, or carnet.",
            valueName: "name"))
    var namespace: String?

    @Option(
        help: ArgumentHelp(
            "Who this replica is among the others; by default the host's name and chance.", valueName: "name")
    )
    var identity: String?

    @Option(
        help: ArgumentHelp("How long a leader may be silent before another takes over: 3 to 300.", valueName: "seconds")
    )
    var leaseSeconds: Int64 = 15

    /// The API server, and the gate's namespace.
    func server(_ environment: [String: String]) throws -> (ClusterConfiguration, namespace: String) {
        do throws(ClusterConfiguration.Unusable) {
            if let kubeconfig {
                let file = try Kubeconfig(file: kubeconfig, context: kubeContext)
                return (file.configuration, namespace ?? file.namespace ?? "carnet")
            }
            return (
                try ClusterConfiguration.inCluster(environment),
                namespace ?? ClusterConfiguration.namespace() ?? "carnet"
            )
        } catch {
            throw ValidationError(error.description)
        }
    }

    /// A name that no other replica has, also none that ran here before.
    static func ownName(_ environment: [String: String]) -> String {
        let host = environment["HOSTNAME"].flatMap { $0.isEmpty ? nil : $0 } ?? ProcessInfo.processInfo.hostName
        let plain = host.utf8.filter { (0x21...0x7E).contains($0) }.prefix(200)
        return String(decoding: plain, as: UTF8.self) + "_" + String(UInt64.random(in: 0 ... .max), radix: 16)
    }
}
