import CarnetLedger
package import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/ledger`: the record of everything, for auditors.
package struct AdminLedgerRoutes: Sendable {
    /// The most entries in one answer.
    package static let maximumCount = 1000
    package let ledger: Ledger
    package let checkpoints: LedgerCheckpoints
    package let retention: LedgerRetention
    package let clock: WallClock
    package let queue: WorkQueue

    /// The routes over a ledger.
    package init(
        ledger: Ledger, checkpoints: LedgerCheckpoints, retention: LedgerRetention, clock: WallClock, queue: WorkQueue
    ) {
        self.ledger = ledger
        self.checkpoints = checkpoints
        self.retention = retention
        self.clock = clock
        self.queue = queue
    }

    package var routes: [Route] {
        [
            Route(.get, "/admin/v1/ledger/chains", access: .operator(atLeast: .viewer)) { _ in
                let chains = try await ledger.chains()
                return .json(
                    JSONWriter.object { writer in
                        writer.array("chains") { writer in
                            for chain in chains {
                                writer.object { writer in
                                    writer.string("chain", chain.name)
                                    writer.integer("first", chain.first)
                                    writer.integer("last", chain.head.number)
                                    writer.string("hash", Hexadecimal.encode(chain.head.hash))
                                }
                            }
                        }
                    })
            }.queued(in: queue),
            Route(.get, "/admin/v1/ledger/entries", access: .operator(atLeast: .viewer)) { request in
                try request.query.requireOnly(["chain", "after", "limit"])
                guard let chain = request.query["chain"], (1...96).contains(chain.utf8.count) else {
                    throw Problem.malformed("Which chain? See /admin/v1/ledger/chains.", member: "?chain")
                }
                let lines = try await ledger.lines(
                    of: chain, after: Self.after(request), limit: Self.limit(request))
                return ServiceResponse(.ok, "application/jsonl", lines.flatMap { $0.bytes + [UInt8(ascii: "\n")] })
            }.queued(in: queue),
            Route(.get, "/admin/v1/ledger/checkpoints", access: .operator(atLeast: .viewer)) { request in
                try request.query.requireOnly(["after", "limit"])
                let list = try await checkpoints.list(after: Self.after(request), limit: Self.limit(request))
                return .json(
                    JSONWriter.object { writer in
                        writer.array("checkpoints") { writer in
                            for checkpoint in list { writer.object { $0.members(of: checkpoint) } }
                        }
                    })
            }.queued(in: queue),
            Route(.post, "/admin/v1/ledger/checkpoints", access: .operator(atLeast: .viewer)) { request in
                // Each is kept for ever: who may only look gets no more than one in ten seconds.
                let now = clock.now, last = try await checkpoints.last()
                if request.principal?.role == .viewer, let last, (now - 10...now).contains(last.time) {
                    return .json(JSONWriter.object { $0.members(of: last) }, status: .created)
                }
                let checkpoint = try await checkpoints.make()
                return .json(JSONWriter.object { $0.members(of: checkpoint) }, status: .created)
            },
            Route(
                .post, "/admin/v1/ledger/pruning", access: .operator(atLeast: .admin), accepts: ["application/json"],
                upTo: 1024
            ) { request in
                let body = try RequestObject(request.body)
                try body.requireOnly(["before"])
                guard let time = body.node["before"]?.integer, time >= 0 else {
                    throw Problem.malformed("A whole number of seconds since 1970 is needed.", member: "before")
                }
                let pruned = try await retention.prune(before: time, by: request.principal?.id ?? "")
                if let pruned {
                    request.logger.notice("ledger pruned", metadata: ["entries": .stringConvertible(pruned.count)])
                }
                return .json(
                    JSONWriter.object { writer in
                        writer.integer("entries", pruned?.count ?? 0)
                        if let pruned { writer.integer("checkpoint", pruned.checkpoint) }
                    })
            },
        ]
    }

    private static func after(_ request: ServiceRequest) throws(Problem) -> Int64 {
        guard let text = request.query["after"] else { return -1 }
        guard let number = Int64(text), number >= -1 else {
            throw .malformed("An entry's number is needed.", member: "?after")
        }
        return number
    }

    private static func limit(_ request: ServiceRequest) throws(Problem) -> Int {
        guard let text = request.query["limit"] else { return maximumCount }
        guard let limit = Int(text), (1...maximumCount).contains(limit) else {
            throw .malformed("A number from 1 to \(maximumCount) is needed.", member: "?limit")
        }
        return limit
    }
}

extension JSONWriter {
    fileprivate mutating func members(of checkpoint: LedgerCheckpoints.Stored) {
        integer("number", checkpoint.number)
        string("time", RFC3339.format(checkpoint.time))
        string("statement", String(decoding: checkpoint.token, as: UTF8.self))
    }
}
