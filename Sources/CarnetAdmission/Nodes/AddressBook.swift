import KubernetesAPI
import NodeAdmission

/// Which node has which addresses, kept up to date on every replica.
struct AddressBook: Sendable {
    private let nodes: Reflector<[String]>

    init(_ client: KubernetesClient, failed: @escaping @Sendable (KubernetesError) -> Void) {
        nodes = Reflector(client, .nodes, project: { NodeView.addresses(of: $0) }, failed: failed)
    }

    /// Whether all nodes are known.
    var isSynced: Bool { nodes.isSynced }
    /// Why the nodes cannot be read; `nil` when they can.
    var fault: String? { nodes.fault }

    /// Keeps it up to date until the task is cancelled.
    func run() async { await nodes.run() }

    /// What the cluster says of a node's addresses; `nil` when it has no such node, or the nodes are not known.
    func known(_ node: String) -> KnownNode? {
        guard nodes.isSynced else { return nil }
        let all = nodes.values
        guard let own = all[node] else { return nil }
        var others: Set<String> = []
        for (name, addresses) in all where name != node { others.formUnion(addresses) }
        return KnownNode(addresses: own, addressesOfOthers: others)
    }
}
