/// One rule of a role: who has it may do these verbs on these resources. Source: `rbac.authorization.k8s.io/v1` PolicyRule.
package struct AccessRule: Sendable, Hashable {
    /// Verbs, as `create`; `*` is every one.
    package let verbs: Set<String>
    /// API groups; the empty one is the oldest, `*` every one.
    package let groups: Set<String>
    /// Resources in the plural, subresources after a slash; `*` is every one, `*/x` the subresource x of every one.
    package let resources: Set<String>
    /// Names of the objects; empty for all.
    package let names: Set<String>

    /// A rule as a role states it; what is not a text is left out.
    init(_ json: JSONValue) {
        func texts(_ name: String) -> Set<String> { Set(json[name]?.elements?.compactMap(\.string) ?? []) }
        verbs = texts("verbs")
        groups = texts("apiGroups")
        resources = texts("resources")
        names = texts("resourceNames")
    }

    /// Whether the rule is about everything: what a cluster's administrator has.
    package var isAboutEverything: Bool {
        verbs.contains("*") && groups.contains("*") && resources.contains("*") && names.isEmpty
    }

    /// Whether the rule allows this.
    package func allows(_ use: AccessUse) -> Bool {
        guard verbs.contains("*") || verbs.contains(use.verb), groups.contains("*") || groups.contains(use.group) else {
            return false
        }
        let parts = use.resource.split(separator: "/")
        let everyones = parts.count == 2 ? "*/" + parts[1] : "*"
        guard resources.contains("*") || resources.contains(use.resource) || resources.contains(everyones) else {
            return false
        }
        guard let name = use.name, !names.isEmpty else { return true }
        // Signers' names are domain/path, and domain/* is every one of a domain.
        let domain = name.prefix { $0 != "/" } + "/*"
        return names.contains(name) || (use.resource == "signers" && names.contains(String(domain)))
    }
}

/// What somebody would do.
package struct AccessUse: Sendable, Hashable {
    package let verb: String
    package let group: String
    package let resource: String
    /// The one object; `nil` for any, so that a rule about some names counts too.
    package let name: String?

    /// Something to do.
    package init(_ verb: String, _ resource: String, group: String = "", name: String? = nil) {
        self.verb = verb
        self.group = group
        self.resource = resource
        self.name = name
    }
}
