import CarnetRecords
import CarnetService
import HTTPTypes
import Logging
import PolicyDocument
import StrictEncoding

/// `/admin/v1/release-policies`: which passports open what.
struct AdminReleasePolicyRoutes: Sendable {
    let policies: ReleasePolicyStore
    let clock: WallClock
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/release-policies", access: .operator(atLeast: .viewer)) { _ in
                let records = try await policies.all()
                return .json(
                    JSONWriter.object { writer in
                        writer.array("release_policies") { writer in
                            for record in records { writer.object { $0.members(of: record) } }
                        }
                    })
            }.queued(in: queue),
            Route(
                .post, "/admin/v1/release-policies", access: .operator(atLeast: .policyAuthor),
                accepts: ["application/yaml"], upTo: ReleasePolicy.maximumByteCount
            ) { request in
                let policy: ReleasePolicy
                do {
                    policy = try ReleasePolicy(parsing: request.body)
                } catch let error as PolicyError {
                    throw Problem(
                        "policy-refused", .badRequest, title: "The policy is not accepted", detail: error.description,
                        member: error.member.isEmpty ? nil : error.member)
                }
                try await policies.store(policy, by: request.principal?.id ?? "", now: clock.now)
                request.logger.notice("release policy stored", metadata: ["policy": .string(policy.id)])
                return .json(
                    JSONWriter.object { writer in
                        writer.string("id", policy.id)
                        writer.string("sha256", Hexadecimal.encode(policy.digest))
                    }, status: .created)
            },
            Route(.get, "/admin/v1/release-policies/{id}", access: .operator(atLeast: .viewer)) { request in
                let id = try request.pathParameter("id")
                guard let record = try await policies.all().first(where: { $0.policy.id == id }) else {
                    throw Self.unknown
                }
                return ServiceResponse(.ok, "application/yaml", record.policy.text)
            },
            Route(.delete, "/admin/v1/release-policies/{id}", access: .operator(atLeast: .policyAuthor)) { request in
                let id = try request.pathParameter("id")
                guard try await policies.remove(id, by: request.principal?.id ?? "", now: clock.now) else {
                    throw Self.unknown
                }
                request.logger.notice("release policy removed", metadata: ["policy": .string(id)])
                return .noContent
            },
        ]
    }

    private static let unknown = Problem.notFound("There is no release policy with this identifier.")
}

extension JSONWriter {
    fileprivate mutating func members(of record: ReleasePolicyStore.Record) {
        let policy = record.policy
        string("id", policy.id)
        string("sha256", Hexadecimal.encode(policy.digest))
        array("secrets") { writer in for pattern in policy.secrets { writer.element(pattern.description) } }
        array("volumes") { writer in for volume in policy.volumes.sorted() { writer.element(volume) } }
        string("freshness", policy.freshness.rawValue)
        string("stored_at", RFC3339.format(record.storedAt))
        string("stored_by", record.storedBy)
    }
}
