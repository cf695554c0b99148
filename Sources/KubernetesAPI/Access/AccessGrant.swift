/// What one binding gives to one subject.
package struct AccessGrant: Sendable, Hashable {
    /// Who has it.
    package let subject: AccessSubject
    /// What the role allows.
    package let rules: [AccessRule]
    /// The binding, as `ClusterRoleBinding kubeadm:node-autoapprove-bootstrap`.
    package let binding: String
    /// The role, as `ClusterRole system:certificates.k8s.io:certificatesigningrequests:nodeclient`.
    package let role: String
    /// The one namespace in which it counts; `nil` for the whole cluster.
    package let namespace: String?

    /// Whether it allows this.
    package func allows(_ use: AccessUse) -> Bool { rules.contains { $0.allows(use) } }

    /// Whether it is about everything: what a cluster's administrator has.
    package var isAboutEverything: Bool { rules.contains(where: \.isAboutEverything) }
}

/// A user, a group or a service account.
package struct AccessSubject: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// `User`, `Group` or `ServiceAccount`.
    package let kind: String
    package let name: String
    /// Of service accounts.
    package let namespace: String?

    /// A subject; `kind` is one of the three.
    package init(kind: String, name: String, namespace: String? = nil) {
        self.kind = kind
        self.name = name
        self.namespace = namespace
    }

    /// The name under which the API server knows it: of a service account `system:serviceaccount:<namespace>:<name>`.
    package var username: String {
        kind == "ServiceAccount" ? "system:serviceaccount:\(namespace ?? ""):\(name)" : name
    }

    /// As `Group system:nodes`.
    package var description: String {
        kind == "ServiceAccount" ? "ServiceAccount \(namespace ?? "")/\(name)" : "\(kind) \(name)"
    }

    package static func < (left: AccessSubject, right: AccessSubject) -> Bool { left.description < right.description }
}

extension AccessGrant {
    /// Everything that RBAC gives, each binding and subject for itself. A binding whose role is not there gives nothing.
    package static func all(
        clusterRoles: [KubernetesObject], clusterRoleBindings: [KubernetesObject], roles: [KubernetesObject] = [],
        roleBindings: [KubernetesObject] = []
    ) -> [AccessGrant] {
        func rules(_ role: KubernetesObject) -> [AccessRule] {
            (role.json["rules"]?.elements ?? []).map(AccessRule.init)
        }
        let wide = Dictionary(clusterRoles.map { ($0.name, rules($0)) }) { $1 }
        let narrow = Dictionary(roles.map { ([$0.namespace, $0.name], rules($0)) }) { $1 }
        func grants(_ binding: KubernetesObject, _ kind: String, in namespace: String?) -> [AccessGrant] {
            let reference = binding.json["roleRef"], name = reference?["name"]?.string ?? ""
            let roleKind = reference?["kind"]?.string ?? ""
            let found = roleKind == "ClusterRole" ? wide[name] : namespace.flatMap { narrow[[$0, name]] }
            guard let found, !found.isEmpty else { return [] }
            return (binding.json["subjects"]?.elements ?? []).compactMap { subject in
                guard let kind = subject["kind"]?.string, let subjectName = subject["name"]?.string else { return nil }
                return AccessSubject(
                    kind: kind, name: subjectName, namespace: subject["namespace"]?.string ?? namespace)
            }.map {
                AccessGrant(
                    subject: $0, rules: found, binding: "\(kind) \(binding.name)", role: "\(roleKind) \(name)",
                    namespace: namespace)
            }
        }
        return clusterRoleBindings.flatMap { grants($0, "ClusterRoleBinding", in: nil) }
            + roleBindings.flatMap { grants($0, "RoleBinding", in: $0.namespace) }
    }
}
