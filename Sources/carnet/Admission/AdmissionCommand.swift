import ArgumentParser
import CarnetCommandLine
import Foundation
import KubernetesAPI
import StrictEncoding

struct AdmissionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admission",
        abstract: "The gate of a Kubernetes cluster: what bypasses it, and the operator's word to it.",
        discussion: """
            Examples:
              carnet admission preflight
              carnet admission allow-taints --for 1h --reason "kernel update of rack 4"

            Nodes by hand, and clusters of another kind: carnet admit --help
            """,
        subcommands: [PreflightCommand.self, AllowTaintsCommand.self, LiftTaintsCommand.self])
}

struct PreflightCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preflight", abstract: "Find what would let a node past the gate.",
        discussion: """
            Examples:
              carnet admission preflight
              carnet admission preflight --kubeconfig admin.conf --json

            It reads roles, bindings, webhooks, nodes and the gate's lease, and
            changes nothing. A kubeconfig whose credential comes from a program
            is used through kubectl:
              kubectl proxy --port 8001 &
              carnet admission preflight --server http://127.0.0.1:8001

            The account needs `list` on clusterroles, clusterrolebindings, roles,
            rolebindings, validatingwebhookconfigurations and nodes, and `get`
            on leases in the gate's namespace.

            Exit status: 0 nothing bypasses the gate, 1 something does, 2 the
            kubeconfig cannot be used or the account may not look, 3 the API
            server cannot be reached.
            """)

    @OptionGroup var cluster: KubernetesOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let state = try await cluster.asking(forbidden: .unreadable) { client throws(KubernetesError) in
            try await ClusterState.read(client, namespace: cluster.namespace)
        }
        let findings = Preflight(state: state).findings
        if json {
            try Output.json(findings)
        } else {
            Self.tell(findings)
        }
        if findings.contains(where: { $0.weight == .bypass }) { throw ExitCode(1) }
    }

    private static func tell(_ findings: [PreflightFinding]) {
        for finding in findings {
            Output.line("\(finding.weight.rawValue): \(finding.finding)  [\(finding.rule)]")
            for object in finding.objects.prefix(20) { Output.line("    " + object) }
            if finding.objects.count > 20 {
                Output.line("    … and \(finding.objects.count - 20) more (--json has all)")
            }
            if let remedy = finding.remedy { Output.line("  → " + remedy) }
        }
        let bypasses = findings.filter { $0.weight == .bypass }.count
        Output.line(
            bypasses == 0
                ? "Nothing bypasses the gate."
                : "\(bypasses) of these \(bypasses == 1 ? "bypasses" : "bypass") the gate.")
    }
}

struct AllowTaintsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allow-taints",
        abstract: "Let the gate taint more nodes at once than it may by itself, for a while.",
        discussion: """
            Examples:
              carnet admission allow-taints --for 1h --reason "rack 4 is lost"
              carnet admission allow-taints --stop

            The gate holds back when more nodes than maximum-tainted-percent
            would be tainted at once: a verifier that is away looks like a
            cluster that is broken. This is the operator's word that the nodes
            are what is wrong. It stands in the configuration map
            carnet-admission of the gate's namespace, and ends by itself. Where
            that is not there yet, the gate's lease has to be.

            Exit status: 0 written, 1 refused (is the gate installed in that
            namespace?), 2 the kubeconfig cannot be used, 3 the API server
            cannot be reached.
            """)

    @Option(
        name: .customLong("for"), help: ArgumentHelp("How long: 1m to 24h, as 30m or 1h.", valueName: "time"),
        transform: Lifetime.reading)
    var duration: Lifetime?

    @Option(help: "Why; the gate repeats it in its log.")
    var reason: String?

    @Flag(help: "Take the word back.")
    var stop = false

    @OptionGroup var cluster: KubernetesOptions

    func validate() throws {
        guard (duration != nil) != stop else { throw ValidationError("Give either --for or --stop.") }
        if let seconds = duration?.seconds, !(60...86_400).contains(seconds) {
            throw ValidationError("--for is one minute to 24 hours.")
        }
        guard reason?.allSatisfy(\.isWhitespace) != true else {
            throw ValidationError("--reason is what others read in the gate's log: say why, or leave it out.")
        }
    }

    func run() async throws {
        let until = duration.map { RFC3339.format(Int64(Date().timeIntervalSince1970) + $0.seconds) }
        let map = KubernetesObject([
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": "carnet-admission", "namespace": .string(cluster.namespace)],
            "data": [
                "taint-until": until.map { .string($0) } ?? .null, "reason": reason.map { .string($0) } ?? .null,
            ],
        ])
        let resource = Resource.configMaps(cluster.namespace)
        try await cluster.asking { client throws(KubernetesError) in
            do throws(KubernetesError) {
                _ = try await client.patch(resource, map.name, ["data": map.json["data"] ?? [:]])
            } catch {
                guard error.code == .notFound else { throw error }
                try await Self.requireGate(client, cluster.namespace)
                guard let until else { return }
                var made = map
                made.json["data"] = ["taint-until": .string(until), "reason": .string(reason ?? "")]
                do throws(KubernetesError) {
                    _ = try await client.create(resource, made)
                } catch { throw error.code == .notFound ? Self.elsewhere(cluster.namespace) : error }
            }
        }
        Output.line(
            until.map { "The gate may taint as many nodes as it finds until \($0)." }
                ?? "The gate holds back again when many nodes would be tainted at once.")
    }

    /// Refuses a namespace in which no gate ever ran: nobody would read the word there.
    private static func requireGate(
        _ client: KubernetesClient, _ namespace: String
    ) async throws(KubernetesError) {
        do throws(KubernetesError) {
            _ = try await client.get(.leases(namespace), "carnet-admission")
        } catch {
            switch error.code {
            case .notFound: throw elsewhere(namespace)
            // Who may not look is not to be kept from saying it.
            case .forbidden: return
            default: throw error
            }
        }
    }

    private static func elsewhere(_ namespace: String) -> KubernetesError {
        KubernetesError(
            .notFound, "The namespace \(namespace) has no lease of the gate. \(KubernetesOptions.isGateThere)")
    }
}
