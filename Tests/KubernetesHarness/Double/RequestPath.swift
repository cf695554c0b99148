/// What a request's path and query are about.
struct RequestPath: Sendable {
    /// `nil` for a path that is no resource.
    let kind: ResourceKind?
    let namespace: String
    let name: String
    let subresource: String?
    let path: String
    let query: [String: String]

    init(_ path: String, _ query: [String: String]) {
        self.path = path
        self.query = query
        var parts = path.split(separator: "/").map(String.init)
        var group: String?, version = ""
        if parts.first == "api", parts.count > 2 {
            (group, version) = ("", parts[1])
            parts.removeFirst(2)
        } else if parts.first == "apis", parts.count > 3 {
            (group, version) = (parts[1], parts[2])
            parts.removeFirst(3)
        }
        var namespace = ""
        if group != nil, parts.count > 2, parts[0] == "namespaces",
            !ResourceKind.namespaces.subresources.union(["finalize"]).contains(parts[2])
        {
            namespace = parts[1]
            parts.removeFirst(2)
        }
        let found = group.flatMap { group in
            ResourceKind.all.first { $0.group == group && $0.version == version && $0.plural == parts.first }
        }
        let subresource = parts.count > 2 ? parts[2] : nil
        let isGood =
            parts.count <= 3 && (subresource.map { found?.subresources.contains($0) ?? false } ?? true)
            && (namespace.isEmpty || found?.isNamespaced == true)
        kind = isGood ? found : nil
        self.namespace = namespace
        name = parts.count > 1 ? parts[1] : ""
        self.subresource = subresource
    }

    var key: ObjectKey { ObjectKey(namespace: namespace, name: name) }
    var isWatch: Bool { ["true", "1"].contains(query["watch"]) }
    var isDryRun: Bool { query["dryRun"] == "All" }

    /// The verb of RBAC for a method.
    func verb(_ method: String) -> String {
        guard kind != nil else { return method.lowercased() }
        return switch method {
        case "GET", "HEAD": name.isEmpty ? (isWatch ? "watch" : "list") : "get"
        case "POST": "create"
        case "PUT": "update"
        case "PATCH": "patch"
        case "DELETE": name.isEmpty ? "deletecollection" : "delete"
        default: method.lowercased()
        }
    }

    /// What a caller wants to do with a verb.
    func action(_ verb: String) -> RequestedAction {
        guard let kind else {
            return RequestedAction(verb: verb, group: "", resource: "", namespace: "", name: "", path: path)
        }
        var name = name
        if name.isEmpty, let only = query["fieldSelector"], only.hasPrefix("metadata.name="), !only.contains(",") {
            name = String(only.dropFirst("metadata.name=".count))
        }
        return RequestedAction(
            verb: verb, group: kind.group, resource: subresource.map { kind.plural + "/" + $0 } ?? kind.plural,
            namespace: namespace, name: name)
    }

    /// A selector of the query.
    func selector(for kind: ResourceKind) throws -> ObjectSelector {
        try ObjectSelector(
            labels: query["labelSelector"], fields: query["fieldSelector"],
            namespace: namespace.isEmpty ? nil : namespace, kind: kind)
    }
}
