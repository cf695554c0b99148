/// What a kubelet may write (the admission plugin `NodeRestriction`), as far as the double's resources go.
enum NodeRestriction {
    /// Refuses what a node may not write.
    ///
    /// - Parameters:
    ///   - new: `nil` for a deletion.
    ///   - old: `nil` for a creation.
    static func check(
        _ caller: Caller, _ kind: ResourceKind, _ subresource: String?, _ key: ObjectKey, new: HarnessJSON?,
        old: HarnessJSON?
    ) throws {
        guard let node = caller.nodeName else { return }
        switch kind {
        case .nodes:
            guard key.name == node else {
                throw StatusFailure.forbidden(
                    kind, key.name, "node \"\(node)\" is not allowed to modify node \"\(key.name)\"")
            }
            guard let new else { return }
            if let old, (old["spec"]?["taints"]?.elements ?? []) != (new["spec"]?["taints"]?.elements ?? []) {
                throw StatusFailure.forbidden(kind, key.name, "node \"\(node)\" is not allowed to modify taints")
            }
            let forbidden = forbiddenLabels(new, old)
            guard forbidden.isEmpty else {
                let names = forbidden.joined(separator: ", ")
                throw StatusFailure.forbidden(
                    kind, key.name,
                    old == nil
                        ? "node \"\(node)\" is not allowed to set the following labels: \(names)"
                        : "is not allowed to modify labels: \(names)")
            }
        case .leases:
            guard key.namespace == "kube-node-lease" else {
                throw StatusFailure.forbidden(
                    kind, key.name, "can only access leases in the \"kube-node-lease\" system namespace")
            }
            guard key.name == node else {
                throw StatusFailure.forbidden(
                    kind, key.name, "can only access node lease with the same name as the requesting node")
            }
        default: break
        }
    }

    private static func forbiddenLabels(_ new: HarnessJSON, _ old: HarnessJSON?) -> [String] {
        let after = new["metadata", "labels"]?.members ?? [:], before = old?["metadata", "labels"]?.members ?? [:]
        let modified = Set(after.keys).union(before.keys).filter { after[$0] != before[$0] }
        return modified.filter { label in
            guard let slash = label.firstIndex(of: "/") else { return false }
            let namespace = String(label[..<slash])
            func isBelow(_ domain: String) -> Bool { namespace == domain || namespace.hasSuffix("." + domain) }
            if isBelow("node-restriction.kubernetes.io") { return true }
            return (isBelow("kubernetes.io") || isBelow("k8s.io")) && !isKubeletLabel(label, namespace)
        }.sorted()
    }

    private static func isKubeletLabel(_ label: String, _ namespace: String) -> Bool {
        let known: Set<String> = [
            "kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os", "beta.kubernetes.io/arch",
            "beta.kubernetes.io/os", "beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type",
            "failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
            "topology.kubernetes.io/region", "topology.kubernetes.io/zone", "failure-domain.kubernetes.io/region",
            "failure-domain.kubernetes.io/zone",
        ]
        return known.contains(label)
            || ["kubelet.kubernetes.io", "node.kubernetes.io"].contains { domain in
                namespace == domain || namespace.hasSuffix("." + domain)
            }
    }
}
