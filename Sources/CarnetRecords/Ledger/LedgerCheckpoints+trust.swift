import CarnetLedger
import CarnetService
import CarnetStorage
import HTTPTypes

extension LedgerCheckpoints {
    /// The database's last checkpoint, when it is this verifier's, or one that a key of its own signed, and comes after the one that it
    /// remembers. Nothing is signed on top of another: whoever removes checkpoints with their entries gets no new ones for what is left.
    ///
    /// - Throws: ``Problem`` when the database was set back or edited.
    package func trustedLast() async throws -> Stored? {
        // Remembered before it is read: what another task signs in between is in neither, or in the database only, and never the other way.
        let known = memory.checkpoint
        let last = try await last()
        try await requireTrust(in: last, after: known)
        return last
    }

    private func requireTrust(in last: Stored?, after known: UnverifiedCheckpoint?) async throws {
        guard last?.token != known?.token else { return }
        if let known { try await requireSuccession(from: known, to: last) }
        guard let last else { return }
        guard let checkpoint = UnverifiedCheckpoint(parsing: last.token),
            checkpoint.unverifiedContent.number == last.number
        else { throw Self.distrust("its checkpoint \(last.number) cannot be read") }
        guard checkpoint.signature(under: try await keys()) == .valid else {
            throw Self.distrust("its checkpoint \(last.number) is not signed by a key of this verifier")
        }
        memory.keep(checkpoint)
    }

    private func requireSuccession(from known: UnverifiedCheckpoint, to last: Stored?) async throws {
        let number = known.unverifiedContent.number
        guard let last, last.number >= number else {
            let end = last.map { "ends with checkpoint \($0.number)" } ?? "has no checkpoint"
            throw Self.distrust("it \(end), and this verifier knows checkpoint \(number)")
        }
        guard try await list(after: number - 1, limit: 1).first?.token == known.token else {
            throw Self.distrust("it has another checkpoint \(number) than the one that this verifier knows")
        }
    }

    /// Takes the ledger as it is in the database now, because an operator says so; the ledger tells of it.
    ///
    /// - Throws: ``StorageError`` when the last checkpoint cannot be read: on top of it nothing can be signed.
    package func accept() async throws {
        let last = try await last()
        let checkpoint = last.flatMap { UnverifiedCheckpoint(parsing: $0.token) }
        guard last == nil || checkpoint?.unverifiedContent.number == last?.number else {
            throw StorageError(.unexpectedValue, "the ledger's last checkpoint cannot be read, and cannot be accepted")
        }
        memory.accept(checkpoint)
        let target = last.map { "checkpoint \($0.number)" } ?? "no checkpoint"
        try await ledger.append(.operation(OperatorAction(.ledgerAccepted, target, by: "command-line")), at: clock.now)
    }

    /// Whether the last checkpoint can be trusted.
    ///
    /// - Throws: When the database cannot be read.
    package func isTrusted() async throws -> Bool {
        do {
            _ = try await trustedLast()
            return true
        } catch is Problem {
            return false
        }
    }

    private static func distrust(_ reason: String) -> Problem {
        Problem(
            "ledger-set-back", .conflict, title: "The ledger was set back or changed",
            detail: "No checkpoint is signed: the ledger in the database is not the one that was signed; \(reason). "
                + "Audit it. If an older database was restored on purpose, start with --accept-ledger: see \"When the database was restored\" in the guide Audit.md.",
            cause: reason)
    }
}
