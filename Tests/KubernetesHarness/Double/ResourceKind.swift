/// A kind of object that the double serves.
struct ResourceKind: Sendable, Hashable {
    /// The API group; empty for the core group.
    let group: String
    let version: String
    /// As in paths: `nodes`.
    let plural: String
    /// As in objects: `Node`.
    let kind: String
    let isNamespaced: Bool
    /// What a path may name below an object.
    var subresources: Set<String> = []
    /// Whether `metadata.generation` counts changes of what is asked for.
    var countsGenerations = false

    /// Whether an update of what is not there makes it.
    var isMadeByUpdate: Bool { self == .leases || self == .events || group == "rbac.authorization.k8s.io" }
    /// As objects say it: `v1`, `certificates.k8s.io/v1`.
    var apiVersion: String { group.isEmpty ? version : group + "/" + version }
    /// As messages say it: `nodes`, `leases.coordination.k8s.io`.
    var qualified: String { group.isEmpty ? plural : plural + "." + group }
    /// As messages about invalid objects say it: `Node`, `Lease.coordination.k8s.io`.
    var qualifiedKind: String { group.isEmpty ? kind : kind + "." + group }

    static let nodes = ResourceKind(
        group: "", version: "v1", plural: "nodes", kind: "Node", isNamespaced: false, subresources: ["status"])
    static let events = ResourceKind(group: "", version: "v1", plural: "events", kind: "Event", isNamespaced: true)
    static let configMaps = ResourceKind(
        group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", isNamespaced: true)
    static let namespaces = ResourceKind(
        group: "", version: "v1", plural: "namespaces", kind: "Namespace", isNamespaced: false,
        subresources: ["status"])
    static let serviceAccounts = ResourceKind(
        group: "", version: "v1", plural: "serviceaccounts", kind: "ServiceAccount", isNamespaced: true,
        subresources: ["token"])
    static let signingRequests = ResourceKind(
        group: "certificates.k8s.io", version: "v1", plural: "certificatesigningrequests",
        kind: "CertificateSigningRequest", isNamespaced: false, subresources: ["approval", "status"])
    static let leases = ResourceKind(
        group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease", isNamespaced: true)
    static let webhooks = ResourceKind(
        group: "admissionregistration.k8s.io", version: "v1", plural: "validatingwebhookconfigurations",
        kind: "ValidatingWebhookConfiguration", isNamespaced: false, countsGenerations: true)
    static let clusterRoles = rbac("clusterroles", "ClusterRole", isNamespaced: false)
    static let clusterRoleBindings = rbac("clusterrolebindings", "ClusterRoleBinding", isNamespaced: false)
    static let roles = rbac("roles", "Role", isNamespaced: true)
    static let roleBindings = rbac("rolebindings", "RoleBinding", isNamespaced: true)
    /// Can be created, and is answered, but never stored.
    static let accessReviews = ResourceKind(
        group: "authorization.k8s.io", version: "v1", plural: "selfsubjectaccessreviews",
        kind: "SelfSubjectAccessReview", isNamespaced: false)

    private static func rbac(_ plural: String, _ kind: String, isNamespaced: Bool) -> ResourceKind {
        ResourceKind(
            group: "rbac.authorization.k8s.io", version: "v1", plural: plural, kind: kind, isNamespaced: isNamespaced)
    }

    /// All of them.
    static let all: [ResourceKind] = [
        nodes, events, configMaps, namespaces, serviceAccounts, signingRequests, leases, webhooks, clusterRoles,
        clusterRoleBindings, roles, roleBindings, accessReviews,
    ]
}
