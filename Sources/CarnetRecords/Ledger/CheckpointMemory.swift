package import CarnetLedger
package import CarnetService
import Foundation
package import Logging
import Synchronization

/// The last checkpoint that this verifier made or found good: kept in memory and in a file, where whoever writes to the database does not reach.
///
/// The file holds one checkpoint as it was signed, the same that `carnet audit verify --save-checkpoint` writes.
package final class CheckpointMemory: Sendable {
    private let path: String?
    private let logger: Logger
    private let held: Mutex<UnverifiedCheckpoint?>

    /// A memory that ends with the process.
    package init() {
        path = nil
        logger = Logger(label: "carnet.ledger") { _ in SwiftLogNoOpLogHandler() }
        held = Mutex(nil)
    }

    /// A memory that outlives the process.
    ///
    /// - Throws: ``ServiceStartError`` when the file is there and holds no checkpoint: what cannot be compared is not forgotten.
    package init(file path: String, _ logger: Logger) throws(ServiceStartError) {
        self.path = path
        self.logger = logger
        guard var bytes = try PrivateFile.read(path, maximumByteCount: LedgerCheckpoint.maximumByteCount + 1) else {
            held = Mutex(nil)
            return
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard let checkpoint = UnverifiedCheckpoint(parsing: bytes) else {
            throw .unreadable(
                path,
                "it does not hold a checkpoint of the ledger. Put one there that you kept (carnet audit verify "
                    + "--save-checkpoint), or remove it: then the verifier believes what the database says")
        }
        held = Mutex(checkpoint)
    }

    /// The checkpoint that is remembered.
    package var checkpoint: UnverifiedCheckpoint? { held.withLock { $0 } }

    /// Remembers a later one. When the file cannot be written that is logged, and this process remembers all the same.
    package func keep(_ checkpoint: UnverifiedCheckpoint) {
        held.withLock { held in
            if let held, held.unverifiedContent.number >= checkpoint.unverifiedContent.number { return }
            held = checkpoint
            write(checkpoint)
        }
    }

    /// Takes what an operator says is the last one, or forgets.
    package func accept(_ checkpoint: UnverifiedCheckpoint?) {
        held.withLock { held in
            held = checkpoint
            if let checkpoint { return write(checkpoint) }
            if let path { unlink(path) }
        }
    }

    /// Writes the file, under the lock: what is written last is what is remembered.
    private func write(_ checkpoint: UnverifiedCheckpoint) {
        guard let path else { return }
        do {
            try PrivateFile.replace(path, checkpoint.token + [UInt8(ascii: "\n")])
        } catch {
            logger.error("the last checkpoint cannot be kept", metadata: ["reason": .string("\(error)")])
        }
    }
}
