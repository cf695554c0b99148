import Foundation

/// One transaction, begun as often as it takes within its time.
struct PostgreSQLTransaction {
    let kind: Kind
    let settings: PostgreSQLSettings

    enum Kind { case read, write, alone }

    /// How often a transaction that meets others is tried.
    private static let maximumAttemptCount = 50
    /// How often one is tried that finds a row which has to be unique: another transaction may be about to write or remove it.
    private static let maximumDuplicateCount = 3
    /// How long a transaction waits at most before it is tried again, in microseconds; at first a tenth of it.
    private static let longestPause: UInt32 = 20_000

    /// Runs `body` on the session of `slot`.
    func run<Value>(_ slot: PostgreSQLSlot, _ body: (any SQLConnection) throws -> Value) throws -> Value {
        let deadline = ContinuousClock.now + .seconds(settings.timeout)
        var turn: PostgreSQLTurn? = kind == .alone ? .migrations : nil
        var attempt = 0, mayReconnect = true
        while true {
            attempt += 1
            let session = try slot.session()
            let failure: PostgreSQLFailure, thrown: any Error
            do {
                return try once(session, turn, body)
            } catch let attempt as Attempt {
                (failure, thrown) = (attempt.failure, attempt.thrown)
                if session.isLost || failure.isReadOnly || failure.isOutdatedPlan { slot.discard() }
                // Nothing was run yet on a connection that may have died long ago.
                if attempt.atBegin, failure.isLost, session.wasUsed, mayReconnect {
                    mayReconnect = false
                    continue
                }
            } catch {
                if session.isLost { slot.discard() }
                throw error
            }
            let isWorthMore =
                failure.isConflict || failure.isOutdatedPlan && attempt == 1
                || failure.isDuplicate && attempt < Self.maximumDuplicateCount
            guard isWorthMore else { throw thrown }
            guard attempt < Self.maximumAttemptCount, ContinuousClock.now < deadline else {
                throw StorageError(.unavailable, "other transactions came between \(attempt) times: \(failure.error)")
            }
            // Whoever lost once waits in line with the others that did, and for no one else.
            if kind == .write { turn = .losers }
            usleep(.random(in: 0...min(Self.longestPause, Self.longestPause / 10 * UInt32(clamping: attempt))))
        }
    }

    /// How an attempt failed, and what the caller is told when there is no other.
    private struct Attempt: Error {
        let failure: PostgreSQLFailure
        let thrown: any Error
        var atBegin = false
    }

    private func once<Value>(
        _ session: PostgreSQLSession, _ turn: PostgreSQLTurn?, _ body: (any SQLConnection) throws -> Value
    ) throws -> Value {
        let limit = kind == .alone ? settings.migrationTimeout + settings.connectTimeout : nil
        do throws(PostgreSQLFailure) {
            if let turn { try turn.take(session, limit, settings) }
            try session.run(begin)
            if kind == .alone {
                try session.run("SET LOCAL statement_timeout = 0")
                try session.run("SET LOCAL idle_in_transaction_session_timeout = 0")
            }
        } catch {
            rollBack(session)
            turn?.leave(session)
            throw Attempt(failure: error, thrown: error.error, atBegin: true)
        }
        // After the commit or the rollback, and before anything else uses the session.
        defer {
            session.wasUsed = true
            turn?.leave(session)
        }
        let connection = PostgreSQLConnection(session, limit: limit)
        let value: Value
        do {
            value = try StrictConnection.run(connection, body)
        } catch {
            rollBack(session)
            // The body may have made its own error of a conflict.
            guard let failure = connection.failure else { throw error }
            throw Attempt(failure: failure, thrown: error)
        }
        try commit(session)
        return value
    }

    private var begin: SQL {
        kind == .read
            ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN ISOLATION LEVEL SERIALIZABLE"
    }

    private func commit(_ session: PostgreSQLSession) throws {
        do {
            let answer = try session.run("COMMIT")
            guard answer.command == "COMMIT" else {
                throw StorageError(.unavailable, "the server answered \(answer.command) to COMMIT; nothing was changed")
            }
        } catch let failure as PostgreSQLFailure {
            // What was read is what the database held; its end changes nothing.
            if kind == .read { return }
            rollBack(session)
            guard !failure.isLost else {
                throw StorageError(
                    .unavailable,
                    "the connection was lost before the server answered to COMMIT, so the outcome is unknown: "
                        + failure.error.reason, outcomeIsUnknown: true)
            }
            throw Attempt(failure: failure, thrown: failure.error)
        }
    }

    /// Ends what is left of the transaction. A session that cannot even do that is lost.
    private func rollBack(_ session: PostgreSQLSession) {
        guard !session.isLost, !session.isIdle else { return }
        if (try? session.run("ROLLBACK")) == nil || !session.isIdle { session.giveUp() }
    }
}
