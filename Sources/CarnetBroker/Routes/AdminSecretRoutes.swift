import CarnetRecords
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/secrets`: what the broker gives out.
struct AdminSecretRoutes: Sendable {
    let secrets: SecretStore
    let clock: WallClock
    let queue: WorkQueue

    private static let path = "/admin/v1/secrets/{repository}/{type}/{tag}"

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/secrets", access: .operator(atLeast: .viewer)) { request in
                let page = try await secrets.list(PageRequest(request.query))
                return JSONWriter.page("secrets", page) { $0.members(of: $1) }
            }.queued(in: queue),
            Route(
                .put, Self.path, access: .operator(atLeast: .admin), accepts: ["application/octet-stream"],
                upTo: SecretStore.maximumByteCount
            ) { request in
                let name = try Self.name(request)
                guard !request.body.isEmpty else { throw Problem.malformed("A secret has at least one byte.") }
                let record = try await secrets.store(
                    request.body, as: name, by: request.principal?.id ?? "", now: clock.now)
                request.logger.notice("secret stored", metadata: ["secret": .string(name.description)])
                return .json(
                    JSONWriter.object { $0.members(of: record) }, status: record.version == 1 ? .created : .ok)
            },
            Route(.get, Self.path, access: .operator(atLeast: .viewer)) { request in
                guard let record = try await secrets.record(try Self.name(request)) else { throw Self.unknown }
                return .json(JSONWriter.object { $0.members(of: record) })
            },
            Route(.post, Self.path + "/reading", access: .operator(atLeast: .admin)) { request in
                let name = try Self.name(request)
                guard
                    let secret = try await secrets.reveal(name, by: request.principal?.id ?? "", now: clock.now)
                else { throw Self.unknown }
                request.logger.notice("secret read by an operator", metadata: ["secret": .string(name.description)])
                return ServiceResponse(.ok, "application/octet-stream", secret)
            },
            Route(.delete, Self.path, access: .operator(atLeast: .admin)) { request in
                let name = try Self.name(request)
                guard try await secrets.remove(name, by: request.principal?.id ?? "", now: clock.now) else {
                    throw Self.unknown
                }
                request.logger.notice("secret removed", metadata: ["secret": .string(name.description)])
                return .noContent
            },
        ]
    }

    private static func name(_ request: ServiceRequest) throws -> SecretName {
        let name = SecretName(
            try request.pathParameter("repository"), try request.pathParameter("type"), try request.pathParameter("tag")
        )
        guard let name else {
            throw Problem.malformed(
                "A secret's name is repository/type/tag, each 1 to 64 letters, digits, dots, dashes and underscores.")
        }
        return name
    }

    private static let unknown = Problem.notFound("There is no secret of this name.")
}

extension JSONWriter {
    fileprivate mutating func members(of record: SecretStore.Record) {
        string("name", record.name.description)
        integer("version", record.version)
        integer("bytes", record.byteCount)
        string("stored_at", RFC3339.format(record.storedAt))
        string("stored_by", record.storedBy)
    }
}
