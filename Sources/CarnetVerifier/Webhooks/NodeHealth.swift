import CarnetRecords
import CarnetStorage

/// What the appraisals of a machine amount to: whether it fails, and with which outcome it came to that.
///
/// It is a value without a clock: ``after(_:from:)`` says what an outcome changes. The database remembers it, so that nothing is told twice by
/// a verifier that was started again, or by two.
struct NodeHealth: Sendable, Hashable {
    /// The last outcome that counted.
    let outcome: LedgerEntry.Outcome
    /// Whether it is worse than affirming.
    let isFailing: Bool

    /// What there is to tell.
    enum Turn: Sendable, Hashable {
        case failed, recovered
    }

    /// What a machine's health is after an outcome, and what there is to tell of it.
    ///
    /// A machine fails with `warning`, `contraindicated` and `failed`, and recovers with `affirming` alone. `none`, which is no verdict, makes
    /// neither; nor do evidence that cannot be read and withdrawals.
    ///
    /// - Parameter previous: `nil` for a machine that was never appraised.
    static func after(_ outcome: LedgerEntry.Outcome, from previous: NodeHealth?) -> (NodeHealth, Turn?) {
        switch outcome {
        case .affirming:
            return (NodeHealth(outcome: outcome, isFailing: false), previous?.isFailing == true ? .recovered : nil)
        case .warning, .contraindicated, .failed:
            return (NodeHealth(outcome: outcome, isFailing: true), previous?.isFailing == true ? nil : .failed)
        case .none, .unreadable, .revoked:
            if let previous, previous.isFailing { return (previous, nil) }
            return (NodeHealth(outcome: .none, isFailing: false), nil)
        }
    }

    /// What is remembered of a machine.
    static func of(_ node: String, in connection: any SQLConnection) throws(StorageError) -> NodeHealth? {
        guard let row = try connection.row("SELECT outcome, failing FROM node_health WHERE node_id = \(node)") else {
            return nil
        }
        guard let outcome = LedgerEntry.Outcome(rawValue: try row.text("outcome")) else {
            throw StorageError(.unexpectedValue, "a machine's last outcome is unknown")
        }
        return NodeHealth(outcome: outcome, isFailing: try row.integer("failing") != 0)
    }

    /// Remembers it.
    func store(of node: String, at now: Int64, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO node_health (node_id, outcome, failing, since) VALUES
                (\(node), \(outcome.rawValue), \(isFailing ? Int64(1) : 0), \(now))
            ON CONFLICT (node_id) DO UPDATE SET outcome = excluded.outcome, failing = excluded.failing,
                since = excluded.since
            """)
    }

    /// Forgets a machine.
    static func forget(_ node: String, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute("DELETE FROM node_health WHERE node_id = \(node)")
    }
}
