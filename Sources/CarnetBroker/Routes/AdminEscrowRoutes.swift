import CarnetRecords
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/escrow`: which machines keep keys of their disks here, and how they end.
struct AdminEscrowRoutes: Sendable {
    let escrow: EscrowStore
    let clock: WallClock
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/escrow", access: .operator(atLeast: .viewer)) { request in
                let page = try PageRequest(request.query, beside: ["subject"])
                return JSONWriter.page("volumes", try await escrow.list(page, of: request.query["subject"])) {
                    $0.members(of: $1)
                }
            }.queued(in: queue),
            Route(
                .post, "/admin/v1/escrow/destruction", access: .operator(atLeast: .admin),
                accepts: ["application/json"], upTo: 4096
            ) { request in
                let body = try RequestObject(request.body)
                try body.requireOnly(["subject", "volume", "reason"])
                let count = try await escrow.destroy(
                    try body.optionalString("volume", upTo: 64), of: try body.string("subject", upTo: 256),
                    reason: try Self.reason(body), by: request.principal?.id ?? "", now: clock.now)
                guard count > 0 else { throw Self.unknown }
                request.logger.notice("escrow destroyed", metadata: ["volumes": .stringConvertible(count)])
                return .json(JSONWriter.object { $0.integer("volumes", Int64(count)) })
            },
            Route(
                .post, "/admin/v1/escrow/recovery", access: .operator(atLeast: .admin),
                accepts: ["application/json"], upTo: 4096
            ) { request in
                let body = try RequestObject(request.body)
                try body.requireOnly(["subject", "volume", "reason"])
                let message = try await escrow.recovery(
                    of: try body.string("volume", upTo: 64), of: try body.string("subject", upTo: 256),
                    reason: try Self.reason(body), by: request.principal?.id ?? "", now: clock.now)
                guard let message else { throw Self.unknown }
                request.logger.notice("recovery message given to an operator")
                return ServiceResponse(.ok, "application/jose", message)
            },
        ]
    }

    /// Why: one line of text, for it is printed on terminals.
    private static func reason(_ body: RequestObject) throws(Problem) -> String {
        let reason = try body.string("reason", upTo: 500)
        guard !reason.isEmpty,
            reason.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        else { throw .malformed("A reason has 1 to 500 bytes on one line.", member: "reason") }
        return reason
    }

    private static let unknown = Problem.notFound("There is no such key in escrow.")
}

extension JSONWriter {
    fileprivate mutating func members(of record: EscrowStore.Record) {
        string("subject", record.subject)
        string("volume", record.volume)
        array("versions") { writer in for version in record.versions { writer.element(version) } }
        string("escrowed_at", RFC3339.format(record.escrowedAt))
        if let time = record.releasedAt { string("released_at", RFC3339.format(time)) }
        if let pcrs = record.sealedPCRs { string("sealed_pcrs", pcrs) }
        if let time = record.sealedAt { string("sealed_at", RFC3339.format(time)) }
        boolean("recoverable", record.isRecoverable)
    }
}
