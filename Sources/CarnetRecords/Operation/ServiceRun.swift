package import CarnetService
import CarnetLedger
package import Logging

/// The life of a service that keeps records: its parts run beside it, and everything ends with it, or with a part that fails.
package struct ServiceRun: Sendable {
    /// Something that runs until it is cancelled.
    package typealias Part = @Sendable () async throws -> Void

    let records: Records
    let service: HTTPService
    let parts: [Part]
    let version: String
    let clock: WallClock
    let logger: Logger

    /// A run.
    ///
    /// - Parameters:
    ///   - parts: What runs beside the service, and beside the checkpoints and the rotation of keys.
    ///   - version: The program's version, for the ledger.
    package init(
        _ service: HTTPService, keeping records: Records, beside parts: [Part], version: String, clock: WallClock,
        logger: Logger
    ) {
        self.service = service
        self.records = records
        self.parts = parts
        self.version = version
        self.clock = clock
        self.logger = logger
    }

    /// Listens and answers. Returns after a graceful shutdown. The ledger tells both ends, and a checkpoint covers the last.
    package func run() async throws {
        try await records.ledger.append(.service(ServiceStep(isStart: true, version: version)), at: clock.now)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for part in parts {
                group.addTask {
                    try await part()
                    return false
                }
            }
            group.addTask {
                await records.checkpoints.run(logger)
                return false
            }
            group.addTask {
                await records.rotation.run()
                return false
            }
            group.addTask {
                try await service.run()
                return true
            }
            while let isEnd = try await group.next(), !isEnd {}
            group.cancelAll()
        }
        do {
            try await records.ledger.append(.service(ServiceStep(isStart: false, version: version)), at: clock.now)
            _ = try await records.checkpoints.make()
        } catch {
            logger.error("the ledger does not tell of this end", metadata: ["reason": .string("\(error)")])
        }
    }
}
