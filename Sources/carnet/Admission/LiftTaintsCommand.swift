import ArgumentParser
import CarnetCommandLine
import KubernetesAPI

struct LiftTaintsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lift-taints",
        abstract: "Take the gate's taints and its label off nodes: the way back from the controller.",
        discussion: """
            Examples:
              carnet admission lift-taints
              carnet admission lift-taints --node node-17 --node node-18

            A controller that still runs sets them again: take it out of
            carnet-admission's gates first. With the webhook in place this needs
            an account of a group that operators-group names. The condition
            CarnetAttested stays, as the last that the gate said.

            Exit status: 0 done, 1 refused, 2 the kubeconfig cannot be used,
            3 the API server cannot be reached.
            """)

    @Option(help: ArgumentHelp("This node only; may be repeated.", valueName: "name"))
    var node: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var cluster: KubernetesOptions

    /// What workloads select: without a controller nobody would take it away.
    private static let label = "carnet.node-restriction.kubernetes.io/attested"

    private struct Report: Encodable { let lifted: [String] }

    func run() async throws {
        let chosen = Set(node)
        let lifted = try await cluster.asking { client throws(KubernetesError) in
            let nodes = try await client.all(.nodes)
            if let missing = chosen.subtracting(nodes.map(\.name)).sorted().first {
                throw KubernetesError(.notFound, "There is no node \(missing).")
            }
            var lifted: [String] = []
            for node in nodes where chosen.isEmpty || chosen.contains(node.name) {
                if try await Self.lift(node.name, client) {
                    lifted.append(node.name)
                    if !json { Output.line("Lifted: \(node.name)") }
                }
            }
            return lifted
        }
        if json { return try Output.json(Report(lifted: lifted)) }
        Output.line(
            lifted.isEmpty
                ? "No node has a taint or a label of the gate."
                : "Nodes that are as they were before the gate: \(lifted.count).")
    }

    /// Takes the gate's taints off one node, and no others; a node that is changed meanwhile is read again.
    ///
    /// - Returns: Whether there were any.
    private static func lift(_ name: String, _ client: KubernetesClient) async throws(KubernetesError) -> Bool {
        var attempts = 0
        while true {
            let node = try await client.get(.nodes, name)
            let taints = node.spec["taints"]?.elements ?? []
            let others = taints.filter { $0["key"]?.string != "carnet.dev/unattested" }
            guard others.count < taints.count || node.labels[label] != nil else { return false }
            do throws(KubernetesError) {
                try await client.patch(
                    .nodes, name, ["metadata": ["labels": [label: .null]], "spec": ["taints": .array(others)]],
                    expecting: node.resourceVersion)
                return true
            } catch {
                attempts += 1
                guard error.code == .conflict, attempts < 5 else { throw error }
            }
        }
    }
}
