import Logging
import CarnetService
import HTTPTypes
import StrictEncoding

/// `/admin/v1/nodes`: which machines are known, and which of them may have passports.
struct AdminNodeRoutes: Sendable {
    let nodes: NodeStore
    let clock: WallClock

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/nodes", access: .operator(atLeast: .viewer)) { request in
                try request.query.requireOnly(["name"])
                let list = try await nodes.list(named: request.query["name"])
                return .json(
                    JSONWriter.object { writer in
                        writer.array("nodes") { writer in for node in list { writer.object { $0.members(of: node) } } }
                    })
            },
            Route(.get, "/admin/v1/nodes/{id}", access: .operator(atLeast: .viewer)) { request in
                guard let node = try await nodes.node(request.pathParameter("id")) else { throw Self.unknown }
                return .json(JSONWriter.object { $0.members(of: node) })
            },
            Route(.post, "/admin/v1/nodes/{id}/approval", access: .operator(atLeast: .admin)) { request in
                let id = try request.pathParameter("id")
                guard let node = try await nodes.approve(id, by: request.principal?.id ?? "", now: clock.now) else {
                    throw Self.unknown
                }
                request.logger.notice("node approved", metadata: ["node": .string(node.id)])
                return .json(JSONWriter.object { $0.members(of: node) })
            },
            Route(.delete, "/admin/v1/nodes/{id}", access: .operator(atLeast: .admin)) { request in
                let id = try request.pathParameter("id")
                guard try await nodes.remove(id, now: clock.now) else { throw Self.unknown }
                request.logger.notice("node removed", metadata: ["node": .string(id)])
                return .noContent
            },
        ]
    }

    private static let unknown = Problem.notFound("There is no node with this identifier.")
}

extension JSONWriter {
    /// The members that describe a machine to operators.
    fileprivate mutating func members(of node: Node) {
        string("id", node.id)
        string("subject", node.subject)
        string("name", node.identity.name)
        string("state", node.state)
        string("endorsement", node.identity.endorsement.rawValue)
        string("ek_sha256", Hexadecimal.encode(node.identity.endorsementKeyDigest))
        string("ak", Hexadecimal.encode(node.identity.attestationKeyName))
        string("created_at", RFC3339.format(node.createdAt))
        if let approvedAt = node.approvedAt { string("approved_at", RFC3339.format(approvedAt)) }
        if let approvedBy = node.approvedBy { string("approved_by", approvedBy) }
    }
}
