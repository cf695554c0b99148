import CarnetRecords
import CarnetAppraisal
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/reference-sets`: reference values that policies name by their digests.
struct AdminReferenceSetRoutes: Sendable {
    let sets: ReferenceSetStore
    let policies: PolicyStore
    let clock: WallClock
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/reference-sets", access: .operator(atLeast: .viewer)) { _ in
                let list = try await sets.list()
                return .json(
                    JSONWriter.object { writer in
                        writer.array("reference_sets") { writer in
                            for set in list { writer.object { $0.members(of: set) } }
                        }
                    })
            },
            Route(
                .post, "/admin/v1/reference-sets", access: .operator(atLeast: .policyAuthor),
                accepts: ["application/json"], upTo: ReferenceSet.maximumByteCount
            ) { request in
                let set: ReferenceSet
                do {
                    set = try ReferenceSet(parsing: request.body)
                } catch {
                    throw Problem.malformed("\(error)")
                }
                let name = try await sets.add(set, by: request.principal?.id ?? "", now: clock.now)
                request.logger.notice("reference set stored", metadata: ["set": .string(name.description)])
                return .json(
                    JSONWriter.object { writer in
                        writer.string("reference", name.description)
                        writer.string("name", name.name)
                        writer.string("sha256", Hexadecimal.encode(name.digest))
                        writer.integer("components", Int64(set.components.count))
                        writer.integer("files", Int64(set.files.count))
                    }, status: .created)
            }.queued(in: queue),
            Route(.get, "/admin/v1/reference-sets/{sha256}", access: .operator(atLeast: .viewer)) { request in
                guard let digest = Hexadecimal.decode(try request.pathParameter("sha256")),
                    let document = try await sets.document(digest)
                else { throw Self.unknown }
                return ServiceResponse(.ok, "application/json", document)
            }.queued(in: queue),
            Route(
                .delete, "/admin/v1/reference-sets/{sha256}", access: .operator(atLeast: .policyAuthor)
            ) { request in
                guard let digest = Hexadecimal.decode(try request.pathParameter("sha256")) else { throw Self.unknown }
                for record in try await policies.inReach() {
                    guard let policy = try? Policy(parsing: record.text),
                        policy.references.contains(where: { $0.digest == digest })
                    else { continue }
                    throw Problem.conflict(
                        "reference-set-in-use", title: "The set is in use",
                        "A version of the policy \(policy.id) names it that is active, or to which it can be rolled back."
                    )
                }
                guard try await sets.remove(digest, by: request.principal?.id ?? "", now: clock.now) else {
                    throw Self.unknown
                }
                request.logger.notice(
                    "reference set removed", metadata: ["sha256": .string(Hexadecimal.encode(digest))])
                return .noContent
            },
        ]
    }

    private static let unknown = Problem.notFound("There is no reference set with this digest.")
}

extension JSONWriter {
    fileprivate mutating func members(of set: ReferenceSetStore.Record) {
        string("reference", "\(set.name)@sha256:\(Hexadecimal.encode(set.digest))")
        string("name", set.name)
        string("sha256", Hexadecimal.encode(set.digest))
        integer("components", set.componentCount)
        integer("files", set.fileCount)
        string("created_at", RFC3339.format(set.createdAt))
        string("created_by", set.createdBy)
    }
}

extension Policy {
    /// Refuses what would appraise nothing: a policy whose sets are not here.
    func requireReferences() throws(Problem) {
        guard !missingReferences.isEmpty else { return }
        let names = missingReferences.map(\.description).joined(separator: ", ")
        throw Problem.conflict(
            "reference-set-missing", title: "A reference set is missing",
            "The policy names \(names): push it first with `carnet reference push`.", member: "references")
    }
}
