import KubernetesAPI

/// What a preflight looks at, read from the cluster once.
struct ClusterState: Sendable {
    /// Everything that RBAC gives.
    var grants: [AccessGrant] = []
    /// The configurations of validating webhooks.
    var webhooks: [KubernetesObject] = []
    var nodes: [KubernetesObject] = []
    /// The server's minor version; `nil` where it does not say one.
    var minorVersion: Int?
    /// Whether the gate's lease is in its namespace.
    var hasLease = false
    /// Who holds the gate's lease; `nil` where nobody does.
    var leader: String?
    /// The account under which the gate runs.
    var gate = AccessSubject(kind: "ServiceAccount", name: "carnet-admission", namespace: "carnet")

    /// Reads it.
    ///
    /// - Parameter namespace: The gate's.
    static func read(_ client: KubernetesClient, namespace: String) async throws(KubernetesError) -> ClusterState {
        let rbac = "rbac.authorization.k8s.io"
        var state = ClusterState()
        state.gate = AccessSubject(kind: "ServiceAccount", name: "carnet-admission", namespace: namespace)
        state.grants = try await AccessGrant.all(
            clusterRoles: client.all(Resource(group: rbac, "clusterroles")),
            clusterRoleBindings: client.all(Resource(group: rbac, "clusterrolebindings")),
            roles: client.all(Resource(group: rbac, "roles")),
            roleBindings: client.all(Resource(group: rbac, "rolebindings")))
        state.webhooks = try await client.all(
            Resource(group: "admissionregistration.k8s.io", "validatingwebhookconfigurations"))
        state.nodes = try await client.all(.nodes)
        let version = try await client.read("/version")
        state.minorVersion = version["minor"]?.string.flatMap { Int($0.prefix { $0.isASCII && $0.isNumber }) }
        do throws(KubernetesError) {
            let lease = try await client.get(.leases(namespace), "carnet-admission")
            state.hasLease = true
            state.leader = lease.spec["holderIdentity"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        } catch {
            guard error.code == .notFound else { throw error }
        }
        return state
    }
}
