/// What a double does to a request instead of, or besides, answering it.
package enum ClusterFault: Sendable, Hashable {
    /// Answers with this status: 429 or 503 with `Retry-After`, or 500.
    case status(Int, retryAfter: Int?)
    /// Closes the connection, and has done nothing.
    case close
    /// Does what is asked, and closes the connection instead of answering.
    case loseAnswer
    /// Waits first.
    case delay(Duration)
}

/// A request as a double saw it.
package struct ClusterRequest: Sendable, Hashable {
    /// As RBAC names it: `get`, `list`, `watch`, `create`, `update`, `patch` or `delete`.
    package let verb: String
    /// The API group; empty for the core group.
    package let group: String
    /// With the subresource, as in `nodes/status`; empty for a path that is no resource.
    package let resource: String
    /// Empty outside of namespaces.
    package let namespace: String
    /// Empty for lists and creations.
    package let name: String
    /// Path and query.
    package let path: String
    /// The caller's name.
    package let user: String
}
