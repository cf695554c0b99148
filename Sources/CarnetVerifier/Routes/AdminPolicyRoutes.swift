import CarnetRecords
import CarnetAppraisal
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/policies`: what a good machine looks like.
struct AdminPolicyRoutes: Sendable {
    let policies: PolicyStore
    let rehearsal: Rehearsal
    let clock: WallClock
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/policies", access: .operator(atLeast: .viewer)) { request in
                let list = try await policies.list(PageRequest(request.query))
                let active = try await policies.activeDigests()
                return JSONWriter.page("policies", list) { $0.members(of: $1, active: active) }
            }.queued(in: queue),
            Route(
                .post, "/admin/v1/policies", access: .operator(atLeast: .policyAuthor),
                accepts: ["application/yaml"], upTo: Policy.maximumByteCount
            ) { request in
                let record = try await policies.store(
                    request.body, by: request.principal?.id ?? "", now: clock.now)
                request.logger.notice("policy stored", metadata: Self.metadata(record))
                let active = try await policies.activeDigests()
                return .json(JSONWriter.object { $0.members(of: .init(record), active: active) }, status: .created)
            },
            Route(.get, "/admin/v1/policies/{sha256}", access: .operator(atLeast: .viewer)) { request in
                let record = try await find(request)
                return ServiceResponse(.ok, "application/yaml", record.text)
            },
            Route(
                .post, "/admin/v1/policies/{sha256}/activation", access: .operator(atLeast: .policyAuthor)
            ) { request in
                let record = try await find(request)
                _ = try await rehearsal.policy.candidate(Policy(parsing: record.text))
                guard try await policies.activate(record.digest, by: request.principal?.id ?? "", now: clock.now)
                else { throw Self.unknown }
                request.logger.notice("policy activated", metadata: Self.metadata(record))
                return .json(JSONWriter.object { $0.members(of: .init(record), active: [record.digest]) })
            },
            Route(
                .post, "/admin/v1/policies/rehearsal", access: .operator(atLeast: .policyAuthor),
                accepts: ["application/yaml"], upTo: Policy.maximumByteCount
            ) { request in
                let outcome = try await rehearsal.run(rehearsal.policy.candidate(Policy(parsing: request.body)))
                return .json(JSONWriter.object { $0.members(of: outcome) })
            }.queued(in: queue),
            Route(
                .post, "/admin/v1/policies/rollback", access: .operator(atLeast: .policyAuthor),
                accepts: ["application/json"], upTo: 1024
            ) { request in
                let id = try Self.identifier(request)
                guard let digest = try await policies.earlier(id), let record = try await policies.policy(digest) else {
                    throw Problem.notFound("No earlier version of this policy was active.")
                }
                _ = try await rehearsal.policy.candidate(Policy(parsing: record.text))
                guard try await policies.rollBack(id, to: digest, by: request.principal?.id ?? "", now: clock.now)
                else { throw Problem.conflict("conflict", title: "It changed meanwhile", "Look, and try again.") }
                request.logger.notice("policy rolled back", metadata: Self.metadata(record))
                return .json(JSONWriter.object { $0.members(of: .init(record), active: [digest]) })
            },
            Route(
                .post, "/admin/v1/policies/deactivation", access: .operator(atLeast: .policyAuthor),
                accepts: ["application/json"], upTo: 1024
            ) { request in
                let id = try Self.identifier(request)
                guard try await policies.deactivate(id, by: request.principal?.id ?? "", now: clock.now) else {
                    throw Problem.notFound("No policy with this identifier is active.")
                }
                request.logger.notice("policy deactivated", metadata: ["policy": .string(id)])
                return .noContent
            },
        ]
    }

    private static func identifier(_ request: ServiceRequest) throws -> String {
        let body = try RequestObject(request.body)
        try body.requireOnly(["id"])
        return try body.string("id", upTo: 64)
    }

    private func find(_ request: ServiceRequest) async throws -> PolicyStore.Record {
        guard let digest = Hexadecimal.decode(try request.pathParameter("sha256")),
            let record = try await policies.policy(digest)
        else { throw Self.unknown }
        return record
    }

    private static let unknown = Problem.notFound("There is no policy with this digest.")

    private static func metadata(_ record: PolicyStore.Record) -> Logger.Metadata {
        ["policy": .string(record.id), "policy_sha256": .string(Hexadecimal.encode(record.digest))]
    }
}

extension PolicyStore {
    /// Stores a policy after reading it.
    ///
    /// - Throws: `PolicyError` for a text that is no policy.
    func store(_ text: [UInt8], by creator: String, now: Int64) async throws -> Record {
        let policy = try Policy(parsing: text)
        try await add(Record(digest: policy.digest, id: policy.id, text: text, createdAt: now, createdBy: creator))
        return try await self.policy(policy.digest)
            ?? Record(digest: policy.digest, id: policy.id, text: text, createdAt: now, createdBy: creator)
    }
}

extension JSONWriter {
    fileprivate mutating func members(of policy: PolicyStore.Summary, active: Set<[UInt8]>) {
        string("sha256", Hexadecimal.encode(policy.digest))
        string("id", policy.id)
        boolean("active", active.contains(policy.digest))
        string("created_at", RFC3339.format(policy.createdAt))
        string("created_by", policy.createdBy)
    }

    fileprivate mutating func members(of outcome: Rehearsal.Outcome) {
        string("policy", outcome.policy.identifier)
        array("nodes") { writer in
            for node in outcome.nodes {
                writer.object { writer in
                    writer.string("id", node.id)
                    writer.string("name", node.name)
                    writer.string("evidence_from", RFC3339.format(node.appraisedAt))
                    writer.string("now", node.before)
                    writer.string("then", node.after)
                    writer.findings("findings", node.findings)
                }
            }
        }
        array("without_evidence") { writer in for name in outcome.withoutEvidence { writer.element(name) } }
    }
}
