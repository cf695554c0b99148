/// Role-based access control over the roles and bindings in a store, and what nodes may do without any (`Node,RBAC`).
struct Authorization: Sendable {
    let store: ClusterStore

    /// Whether a caller may do something.
    func allows(_ caller: Caller, _ action: RequestedAction) -> Bool {
        if caller.groups.contains("system:masters") { return true }
        if let node = caller.nodeName, allowsNode(node, action) { return true }
        for binding in store.objects(.clusterRoleBindings).objects where isSubject(caller, of: binding.value) {
            if rules(of: binding.value, in: "").contains(where: { Self.covers($0, action) }) { return true }
        }
        guard !action.namespace.isEmpty else { return false }
        for binding in store.objects(.roleBindings).objects
        where binding.namespace == action.namespace && isSubject(caller, of: binding.value) {
            if rules(of: binding.value, in: action.namespace).contains(where: { Self.covers($0, action) }) {
                return true
            }
        }
        return false
    }

    private func isSubject(_ caller: Caller, of binding: HarnessJSON) -> Bool {
        (binding["subjects"]?.elements ?? []).contains { subject in
            let name = subject["name"]?.string ?? ""
            return switch subject["kind"]?.string {
            case "User": caller.name == name
            case "Group": caller.groups.contains(name)
            case "ServiceAccount":
                caller.name == "system:serviceaccount:\(subject["namespace"]?.string ?? ""):\(name)"
            default: false
            }
        }
    }

    private func rules(of binding: HarnessJSON, in namespace: String) -> [HarnessJSON] {
        let role = binding["roleRef"]?["name"]?.string ?? ""
        let isCluster = binding["roleRef"]?["kind"]?.string == "ClusterRole"
        let object =
            isCluster
            ? store.object(.clusterRoles, ObjectKey(namespace: "", name: role))
            : store.object(.roles, ObjectKey(namespace: namespace, name: role))
        return object?.value["rules"]?.elements ?? []
    }

    /// Whether a `PolicyRule` gives the right to do something.
    static func covers(_ rule: HarnessJSON, _ action: RequestedAction) -> Bool {
        func has(_ member: String, _ value: String) -> Bool {
            let values = rule[member]?.strings ?? []
            return values.contains("*") || values.contains(value)
        }
        guard has("verbs", action.verb) else { return false }
        if let path = action.path {
            return (rule["nonResourceURLs"]?.strings ?? []).contains { pattern in
                pattern == path || (pattern.hasSuffix("*") && path.hasPrefix(pattern.dropLast()))
            }
        }
        guard has("apiGroups", action.group) else { return false }
        let resources = rule["resources"]?.strings ?? []
        let subresource = action.resource.split(separator: "/", maxSplits: 1).dropFirst().first
        guard
            resources.contains("*") || resources.contains(action.resource)
                || subresource.map({ resources.contains("*/" + $0) }) ?? false
        else { return false }
        let names = rule["resourceNames"]?.strings ?? []
        return names.isEmpty || names.contains(action.name)
    }

    private func allowsNode(_ node: String, _ action: RequestedAction) -> Bool {
        switch (action.group, action.resource) {
        case ("", "nodes"): ["create", "get", "list", "watch", "update", "patch"].contains(action.verb)
        case ("", "nodes/status"): ["update", "patch"].contains(action.verb)
        case ("", "events"): ["create", "update", "patch"].contains(action.verb)
        case ("certificates.k8s.io", "certificatesigningrequests"):
            ["create", "get", "list", "watch"].contains(action.verb)
        case ("coordination.k8s.io", "leases"):
            ["get", "create", "update", "patch", "delete"].contains(action.verb)
                && action.namespace == "kube-node-lease" && (action.verb == "create" || action.name == node)
        default: false
        }
    }

    /// The roles and bindings that every cluster has from its start, as far as the double's resources go.
    static let firstObjects: [(ResourceKind, HarnessJSON)] = [
        role("cluster-admin", [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]]),
        role(
            "system:node-bootstrapper",
            [
                [
                    "verbs": ["create", "get", "list", "watch"], "apiGroups": ["certificates.k8s.io"],
                    "resources": ["certificatesigningrequests"],
                ]
            ]),
        role(
            "system:basic-user",
            [
                [
                    "verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
                    "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
                ]
            ]),
        role("system:public-info-viewer", [urls(["/healthz", "/livez", "/readyz", "/version", "/version/"])]),
        role(
            "system:discovery",
            [urls(["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/readyz", "/version", "/version/"])]),
        binding("cluster-admin", "system:masters"),
        binding("system:basic-user", "system:authenticated"),
        binding("system:discovery", "system:authenticated"),
        binding("system:public-info-viewer", "system:authenticated", "system:unauthenticated"),
    ]

    private static func urls(_ paths: [String]) -> HarnessJSON {
        ["verbs": ["get"], "nonResourceURLs": .array(paths.map { .string($0) })]
    }

    private static func role(_ name: String, _ rules: [HarnessJSON]) -> (ResourceKind, HarnessJSON) {
        (.clusterRoles, ["metadata": ["name": .string(name)], "rules": .array(rules)])
    }

    private static func binding(_ name: String, _ groups: String...) -> (ResourceKind, HarnessJSON) {
        let subjects = groups.map { group -> HarnessJSON in
            ["kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": .string(group)]
        }
        return (
            .clusterRoleBindings,
            [
                "metadata": ["name": .string(name)], "subjects": .array(subjects),
                "roleRef": [
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": .string(name),
                ],
            ]
        )
    }
}
