import CarnetRecords
import CarnetService
import CarnetStorage
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/nodes`: which machines are known, and which of them may have passports.
struct AdminNodeRoutes: Sendable {
    let nodes: NodeStore
    let database: any SQLDatabase
    let clock: WallClock
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/nodes", access: .operator(atLeast: .viewer)) { request in
                let page = try PageRequest(request.query, beside: ["name"])
                guard let name = request.query["name"] else {
                    return JSONWriter.page("nodes", try await nodes.list(page)) { $0.members(of: $1) }
                }
                let named = try await nodes.node(named: name).map { [NodeSummary($0)] } ?? []
                return JSONWriter.page("nodes", Page(named, limit: 1, \.name)) { $0.members(of: $1) }
            }.queued(in: queue),
            Route(.get, "/admin/v1/nodes/{id}", access: .operator(atLeast: .viewer)) { request in
                guard let node = try await nodes.node(request.pathParameter("id")) else { throw Self.unknown }
                return .json(JSONWriter.object { $0.members(of: NodeSummary(node)) })
            },
            Route(.post, "/admin/v1/nodes/{id}/approval", access: .operator(atLeast: .admin)) { request in
                let id = try request.pathParameter("id")
                guard let node = try await nodes.approve(id, by: request.principal?.id ?? "", now: clock.now) else {
                    throw Self.unknown
                }
                request.logger.notice("node approved", metadata: ["node": .string(node.id)])
                return .json(JSONWriter.object { $0.members(of: NodeSummary(node)) })
            },
            Route(
                .put, "/admin/v1/nodes/{id}/labels", access: .operator(atLeast: .admin), accepts: ["application/json"],
                upTo: 8192
            ) { request in
                let labels = try Self.labels(request.body)
                let labelled = try await nodes.label(
                    request.pathParameter("id"), labels, by: request.principal?.id ?? "", now: clock.now)
                guard let node = labelled else { throw Self.unknown }
                request.logger.notice("node labelled", metadata: ["node": .string(node.id)])
                return .json(JSONWriter.object { $0.members(of: NodeSummary(node)) })
            },
            Route(.get, "/admin/v1/nodes/{id}/evidence", access: .operator(atLeast: .viewer)) { request in
                guard let (stored, time) = try await StoredEvidence.of(request.pathParameter("id"), in: database) else {
                    throw Problem.notFound("No authentic evidence of such a node is kept.")
                }
                let evidence = try stored.envelope()
                return .json(
                    JSONWriter.object { writer in
                        writer.string("appraised_at", RFC3339.format(time))
                        if let place = stored.place { writer.string("appraisal", place.description) }
                        writer.json("evidence", evidence)
                    })
            }.queued(in: queue),
            Route(.delete, "/admin/v1/nodes/{id}", access: .operator(atLeast: .admin)) { request in
                let id = try request.pathParameter("id")
                guard try await nodes.remove(id, by: request.principal?.id ?? "", now: clock.now) else {
                    throw Self.unknown
                }
                request.logger.notice("node removed", metadata: ["node": .string(id)])
                return .noContent
            },
        ]
    }

    private static func labels(_ body: [UInt8]) throws -> NodeLabels {
        let object = try RequestObject(body)
        var values: [String: String] = [:]
        for (name, value) in object.node.members ?? [] {
            guard let text = value.string else { throw Problem.malformed("A label's value is text.", member: name) }
            values[name] = text
        }
        guard let labels = NodeLabels(values) else {
            throw Problem.malformed(
                "At most 32 labels, names and values of 1 to 63 letters, digits, dots, dashes, underscores and slashes."
            )
        }
        return labels
    }

    private static let unknown = Problem.notFound("There is no node with this identifier.")
}

extension JSONWriter {
    /// The members that describe a machine to operators.
    fileprivate mutating func members(of node: NodeSummary) {
        string("id", node.id)
        string("subject", node.subject)
        string("name", node.name)
        string("state", node.state)
        string("endorsement", node.endorsement.rawValue)
        string("ek_sha256", Hexadecimal.encode(node.endorsementKeyDigest))
        string("ak", Hexadecimal.encode(node.attestationKeyName))
        string("created_at", RFC3339.format(node.createdAt))
        if let approvedAt = node.approvedAt { string("approved_at", RFC3339.format(approvedAt)) }
        if let approvedBy = node.approvedBy { string("approved_by", approvedBy) }
        object("labels") { writer in
            for (name, value) in node.labels.values.sorted(by: { $0.key < $1.key }) {
                writer.string(named: name, value)
            }
        }
    }
}
