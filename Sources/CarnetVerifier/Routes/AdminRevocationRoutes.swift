import CarnetRecords
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/revocations`: which passports end before they expire, who decided it, and why.
struct AdminRevocationRoutes: Sendable {
    let revocations: Revocations
    let clock: WallClock
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/revocations", access: .operator(atLeast: .viewer)) { request in
                try request.query.requireOnly(["limit"])
                let list = try await revocations.newest(AdminAppraisalRoutes.limit(request.query["limit"]))
                return .json(
                    JSONWriter.object { writer in
                        writer.array("revocations") { writer in
                            for revocation in list { writer.object { $0.members(of: revocation) } }
                        }
                    })
            }.queued(in: queue),
            Route(
                .post, "/admin/v1/revocations", access: .operator(atLeast: .admin), accepts: ["application/json"],
                upTo: 4096
            ) { request in
                let now = clock.now
                let body = try RequestObject(request.body)
                let target = try Self.target(body, now: now)
                let reason = try Self.reason(body)
                let decided = try await revocations.revoke(
                    target, reason: reason, by: request.principal?.id ?? "", now: now)
                guard let decided else { throw Self.unknown(target) }
                request.logger.notice(
                    "passports revoked",
                    metadata: [
                        "kind": .string(target.kind), "subject": .string(target.subject),
                        "count": .stringConvertible(decided.tokenCount),
                    ])
                return .json(JSONWriter.object { $0.members(of: decided) }, status: .created)
            },
        ]
    }

    private static let kinds = ["token", "node", "policy", "issued_before"]

    private static func target(_ body: RequestObject, now: Int64) throws(Problem) -> Revocation.Target {
        try body.requireOnly(Set(kinds + ["reason"]))
        let named = kinds.filter { body.node[$0] != nil }
        guard named.count == 1, let kind = named.first else {
            throw .malformed("Name exactly one of \(kinds.joined(separator: ", ")).")
        }
        if kind == "issued_before" {
            guard let time = body.node[kind]?.integer, (0...now).contains(time) else {
                throw .malformed(
                    "The time has to be a whole number of seconds since 1970, and to have passed.", member: kind)
            }
            return .issuedBefore(time)
        }
        let subject = try body.string(kind, upTo: 128)
        guard !subject.isEmpty, subject.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let target = Revocation.Target(kind: kind, subject: subject)
        else {
            let shape = kind == "policy" ? "64 hexadecimal digits are" : "An identifier is"
            throw .malformed("\(shape) needed here.", member: kind)
        }
        return target
    }

    /// One line of text: it is printed on terminals.
    private static func reason(_ body: RequestObject) throws(Problem) -> String {
        let reason = try body.string("reason", upTo: 500)
        guard !reason.isEmpty,
            reason.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        else { throw .malformed("A reason has 1 to 500 bytes on one line.", member: "reason") }
        return reason
    }

    private static func unknown(_ target: Revocation.Target) -> Problem {
        switch target {
        case .token: .notFound("There is no living passport with this jti that has a status.")
        case .node: .notFound("There is no node with this identifier.")
        case .policy, .issuedBefore: .notFound("There is no policy with this digest.")
        }
    }
}

extension JSONWriter {
    fileprivate mutating func members(of revocation: Revocation) {
        integer("number", revocation.number)
        string("time", RFC3339.format(revocation.time))
        switch revocation.target {
        case .issuedBefore(let time): integer("issued_before", time)
        case .token, .node, .policy: string(named: revocation.target.kind, revocation.target.subject)
        }
        string("reason", revocation.reason)
        string("decided_by", revocation.decidedBy)
        integer("tokens", Int64(revocation.tokenCount))
    }
}
