import CarnetRecords
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/appraisals`: what was decided, and why.
struct AdminAppraisalRoutes: Sendable {
    /// The most entries in one answer.
    static let maximumCount = 500
    let ledger: Ledger
    let reappraisal: Reappraisal
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/appraisals", access: .operator(atLeast: .viewer)) { request in
                try request.query.requireOnly(["node", "limit"])
                let limit = try Self.limit(request.query["limit"])
                let entries = try await ledger.newest(limit, nodeID: request.query["node"])
                return .json(
                    JSONWriter.object { writer in
                        writer.array("appraisals") { writer in
                            for entry in entries { writer.object { $0.members(of: entry) } }
                        }
                    })
            }.queued(in: queue),
            Route(
                .post, "/admin/v1/appraisals/{id}/reappraisal", access: .operator(atLeast: .viewer)
            ) { request in
                guard let place = LedgerPlace(try request.pathParameter("id")) else {
                    throw Problem.notFound("There is no appraisal with this identifier.")
                }
                let outcome = try await reappraisal.run(place)
                if !outcome.differences.isEmpty {
                    request.logger.error(
                        "a verdict could not be reached again",
                        metadata: [
                            "appraisal": .string(place.description),
                            "differences": .string(outcome.differences.joined(separator: " ")),
                        ])
                }
                return .json(JSONWriter.object { $0.members(of: outcome) })
            }.queued(in: queue),
        ]
    }

    static func limit(_ text: String?) throws(Problem) -> Int {
        guard let text else { return 100 }
        guard let limit = Int(text), (1...maximumCount).contains(limit) else {
            throw .malformed("A number from 1 to \(maximumCount) is needed.", member: "?limit")
        }
        return limit
    }
}

extension JSONWriter {
    fileprivate mutating func members(of outcome: Reappraisal.Outcome) {
        string("appraisal", outcome.place.description)
        string("node", outcome.node)
        string("time", RFC3339.format(outcome.time))
        if let policy = outcome.policyDigest { string("policy_sha256", Hexadecimal.encode(policy)) }
        boolean("same", outcome.differences.isEmpty)
        array("differences") { writer in for difference in outcome.differences { writer.element(difference) } }
        json("recorded", outcome.recorded)
        json("reached", outcome.reached)
    }

    fileprivate mutating func members(of entry: LedgerEntry) {
        if let place = entry.place { string("id", place.description) }
        string("time", RFC3339.format(entry.time))
        string("kind", entry.kind.rawValue)
        string("outcome", entry.outcome.rawValue)
        if let node = entry.nodeID { string("node", node) }
        if let requester = entry.requester { string("requester", requester) }
        if let policy = entry.policyDigest { string("policy_sha256", Hexadecimal.encode(policy)) }
        string("evidence_sha256", Hexadecimal.encode(entry.evidenceDigest))
        if let token = entry.tokenID { string("jti", token) }
        json("findings", entry.findings)
    }
}
