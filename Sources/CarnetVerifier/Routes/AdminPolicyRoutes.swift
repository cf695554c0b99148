import CarnetAppraisal
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/policies`: what a good machine looks like.
struct AdminPolicyRoutes: Sendable {
    let policies: PolicyStore
    let clock: WallClock

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/policies", access: .operator(atLeast: .viewer)) { _ in
                let list = try await policies.list()
                let active = try await policies.active()?.digest
                return .json(
                    JSONWriter.object { writer in
                        writer.array("policies") { writer in
                            for policy in list { writer.object { $0.members(of: policy, active: active) } }
                        }
                    })
            },
            Route(
                .post, "/admin/v1/policies", access: .operator(atLeast: .policyAuthor),
                accepts: ["application/yaml"], upTo: Policy.maximumByteCount
            ) { request in
                let record = try await policies.store(
                    request.body, by: request.principal?.id ?? "", now: clock.now)
                request.logger.notice("policy stored", metadata: Self.metadata(record))
                let active = try await policies.active()?.digest
                return .json(JSONWriter.object { $0.members(of: record, active: active) }, status: .created)
            },
            Route(.get, "/admin/v1/policies/{sha256}", access: .operator(atLeast: .viewer)) { request in
                let record = try await find(request)
                return ServiceResponse(.ok, "application/yaml", record.text)
            },
            Route(
                .post, "/admin/v1/policies/{sha256}/activation", access: .operator(atLeast: .policyAuthor)
            ) { request in
                let record = try await find(request)
                guard try await policies.activate(record.digest, by: request.principal?.id ?? "", now: clock.now)
                else { throw Self.unknown }
                request.logger.notice("policy activated", metadata: Self.metadata(record))
                return .json(JSONWriter.object { $0.members(of: record, active: record.digest) })
            },
        ]
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
    fileprivate mutating func members(of policy: PolicyStore.Record, active: [UInt8]?) {
        string("sha256", Hexadecimal.encode(policy.digest))
        string("id", policy.id)
        boolean("active", policy.digest == active)
        string("created_at", RFC3339.format(policy.createdAt))
        string("created_by", policy.createdBy)
    }
}
