import Logging
package import CarnetService
import CarnetStorage
import HTTPTypes
import StrictEncoding

/// `/admin/v1/api-tokens`: who may call the verifier.
package struct AdminTokenRoutes: Sendable {
    package let tokens: APITokenStore
    package let clock: WallClock
    package let queue: WorkQueue

    /// The routes over a store of tokens.
    package init(tokens: APITokenStore, clock: WallClock, queue: WorkQueue) {
        self.tokens = tokens
        self.clock = clock
        self.queue = queue
    }

    package var routes: [Route] {
        [
            Route(.get, "/admin/v1/api-tokens", access: .operator(atLeast: .admin)) { request in
                let list = try await tokens.list(PageRequest(request.query)), now = clock.now
                return JSONWriter.page("api_tokens", list) { $0.members(of: $1, at: now) }
            }.queued(in: queue),
            Route(
                .post, "/admin/v1/api-tokens", access: .operator(atLeast: .admin), accepts: ["application/json"],
                upTo: 1024
            ) { request in
                let body = try RequestObject(request.body)
                try body.requireOnly(["name", "role", "lifetime"])
                let name = try Self.name(try body.string("name", upTo: 256))
                let roleName = try body.string("role", upTo: 32)
                guard let role = Role(named: roleName) else {
                    let known = Role.allCases.map(\.rawValue).joined(separator: ", ")
                    throw Problem.malformed("There is no such role; \(known) exist.", member: "role")
                }
                let lifetime = try Self.lifetime(body), now = clock.now
                do {
                    let (record, token) = try await tokens.create(
                        name: name, role: role, by: request.principal?.id ?? "", expiresAt: now + lifetime, now: now)
                    request.logger.notice(
                        "API token created",
                        metadata: ["created": .string(record.id), "role": .string(role.rawValue)])
                    return .json(
                        JSONWriter.object { writer in
                            writer.members(of: record, at: now)
                            writer.string("token", token)
                        }, status: .created)
                } catch let error as StorageError where error.code == .conflict {
                    throw Problem.conflict(
                        "name-taken", title: "The name is taken",
                        "Another API token has this name. Revoke it first, or choose another name.", member: "name")
                }
            },
            Route(.delete, "/admin/v1/api-tokens/{id}", access: .operator(atLeast: .admin)) { request in
                let id = try request.pathParameter("id")
                switch try await tokens.revoke(id, by: request.principal?.id ?? "", now: clock.now) {
                case .revoked:
                    request.logger.notice("API token revoked", metadata: ["revoked": .string(id)])
                    return .noContent
                case .unknown: throw Problem.notFound("There is no API token with this identifier.")
                case .lastAdministrator:
                    throw Problem.conflict(
                        "last-administrator", title: "The last administrator",
                        "This is the only API token with the role admin. Create another one first.")
                }
            },
        ]
    }

    private static func name(_ name: String) throws(Problem) -> String {
        guard APIToken.isName(name) else {
            throw .malformed("A name has 1 to 256 visible characters of ASCII, no quotation marks.", member: "name")
        }
        return name
    }

    private static func lifetime(_ body: RequestObject) throws(Problem) -> Int64 {
        guard let member = body.node["lifetime"] else { return APITokenLifetime.standard }
        guard let seconds = member.integer, APITokenLifetime.allowed.contains(seconds) else {
            throw .malformed(
                "A whole number of seconds from \(APITokenLifetime.allowed.lowerBound) to "
                    + "\(APITokenLifetime.allowed.upperBound) is needed.", member: "lifetime")
        }
        return seconds
    }
}

extension JSONWriter {
    fileprivate mutating func members(of record: APITokenStore.Record, at now: Int64) {
        string("id", record.id)
        string("name", record.name)
        string("role", record.role.rawValue)
        string("created_at", RFC3339.format(record.createdAt))
        string("created_by", record.createdBy)
        string("state", record.isExpired(at: now) ? "expired" : "active")
        if let time = record.expiresAt { string("expires_at", RFC3339.format(time)) }
        if let time = record.lastUsedAt { string("last_used_at", RFC3339.format(time)) }
    }
}
