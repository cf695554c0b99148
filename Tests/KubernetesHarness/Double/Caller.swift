/// Who made a request, as authentication found it.
struct Caller: Sendable, Hashable {
    let name: String
    /// With `system:authenticated` or `system:unauthenticated`.
    let groups: [String]
    var uid = ""

    static let anonymous = Caller(name: "system:anonymous", groups: ["system:unauthenticated"])

    /// The name of the node that this is (NodeRestriction, Node authorization); `nil` for everybody else.
    var nodeName: String? {
        guard groups.contains("system:nodes"), name.hasPrefix("system:node:") else { return nil }
        return String(name.dropFirst("system:node:".count))
    }

    /// As admission reviews and messages have it.
    var object: HarnessJSON {
        var object: HarnessJSON = ["username": .string(name), "groups": .array(groups.map { .string($0) })]
        if !uid.isEmpty { object["uid"] = .string(uid) }
        return object
    }
}

/// What somebody wants to do, in the words of RBAC.
struct RequestedAction: Sendable {
    let verb: String
    let group: String
    /// With the subresource, as in `nodes/status`.
    let resource: String
    let namespace: String
    let name: String
    /// For a path that is no resource.
    var path: String?

    /// As a refusal tells it.
    func refusal(of caller: Caller) -> StatusFailure {
        if let path {
            return .forbidden(path: path, "User \"\(caller.name)\" cannot \(verb) path \"\(path)\"")
        }
        let parts = resource.split(separator: "/", maxSplits: 1).map(String.init)
        let place =
            namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(namespace)\""
        let qualified = group.isEmpty ? parts[0] : parts[0] + "." + group
        let object = name.isEmpty ? qualified : "\(qualified) \"\(name)\""
        var details: HarnessJSON = ["kind": .string(parts[0])]
        if !group.isEmpty { details["group"] = .string(group) }
        if !name.isEmpty { details["name"] = .string(name) }
        return StatusFailure(
            code: 403, reason: "Forbidden",
            message: "\(object) is forbidden: User \"\(caller.name)\" cannot \(verb) resource \"\(resource)\" "
                + "in API group \"\(group)\" \(place)", details: details)
    }
}
