import CarnetRecords
import Logging
import CarnetService
import HTTPTypes
import StrictEncoding

/// `/admin/v1/endorsement-keys`: TPMs that an operator vouches for before they enrol.
struct AdminEndorsementKeyRoutes: Sendable {
    let register: EndorsementKeyRegister
    let clock: WallClock
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/endorsement-keys", access: .operator(atLeast: .viewer)) { request in
                let list = try await register.list(PageRequest(request.query))
                return JSONWriter.page("endorsement_keys", list) { $0.members(of: $1) }
            }.queued(in: queue),
            Route(
                .post, "/admin/v1/endorsement-keys", access: .operator(atLeast: .admin), accepts: ["application/json"],
                upTo: 1024
            ) { request in
                let body = try RequestObject(request.body)
                try body.requireOnly(["sha256", "name"])
                let digest = try Self.digest(try body.string("sha256", upTo: 64), member: "sha256")
                let name = try body.optionalString("name", upTo: 128)
                if let name { try NodeName.check(name, member: "name") }
                let entry = try await register.add(
                    digest, nodeName: name, by: request.principal?.id ?? "", now: clock.now)
                request.logger.notice(
                    "endorsement key registered", metadata: ["ek_sha256": .string(Hexadecimal.encode(digest))])
                return .json(JSONWriter.object { $0.members(of: entry) }, status: .created)
            },
            Route(.delete, "/admin/v1/endorsement-keys/{sha256}", access: .operator(atLeast: .admin)) { request in
                guard let digest = Hexadecimal.decode(try request.pathParameter("sha256")),
                    try await register.remove(digest, by: request.principal?.id ?? "", now: clock.now)
                else { throw Problem.notFound("No endorsement key with this digest is registered.") }
                request.logger.notice(
                    "endorsement key unregistered", metadata: ["ek_sha256": .string(Hexadecimal.encode(digest))])
                return .noContent
            },
        ]
    }

    private static func digest(_ text: String, member: String) throws(Problem) -> [UInt8] {
        guard let digest = Hexadecimal.decode(text), digest.count == 32 else {
            throw .malformed(
                "64 hexadecimal digits are needed: the SHA-256 of the endorsement key's SubjectPublicKeyInfo.",
                member: member)
        }
        return digest
    }
}

extension JSONWriter {
    fileprivate mutating func members(of entry: EndorsementKeyRegister.Entry) {
        string("sha256", Hexadecimal.encode(entry.digest))
        if let name = entry.nodeName { string("name", name) }
        string("created_at", RFC3339.format(entry.createdAt))
        string("created_by", entry.createdBy)
    }
}
