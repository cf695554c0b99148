/// A line in which sessions wait for one another, in this process and in others: an advisory lock of the database.
///
/// It is taken before the transaction begins, since a transaction sees the database as it was when its first statement ran, and
/// one that waits inside would see it as it was before its turn. The server ends it with the session, whatever becomes of this side.
enum PostgreSQLTurn: Int64 {
    /// "carnet/m": programs that bring the schema up to date.
    case migrations = 0x6361_726E_6574_2F6D
    /// "carnet/l": transactions that lost against another once.
    case losers = 0x6361_726E_6574_2F6C

    /// Waits for the turn.
    func take(
        _ session: PostgreSQLSession, _ limit: Double?, _ settings: PostgreSQLSettings
    ) throws(PostgreSQLFailure) {
        guard self == .migrations else {
            try session.run("SELECT 1 FROM pg_advisory_lock(\(rawValue))")
            return
        }
        let patience = PostgreSQLSettings.milliseconds(settings.migrationTimeout)
        try set(session, lock: patience, statement: patience)
        defer {
            let lock = PostgreSQLSettings.milliseconds(settings.timeout)
            let statement = PostgreSQLSettings.milliseconds(settings.statementTimeout)
            do { try set(session, lock: lock, statement: statement) } catch { session.giveUp() }
        }
        try session.run("SELECT 1 FROM pg_advisory_lock(\(rawValue))", within: limit)
    }

    /// Lets the next one go on.
    func leave(_ session: PostgreSQLSession) {
        guard !session.isLost else { return }
        do { try session.run("SELECT 1 FROM pg_advisory_unlock_all()") } catch { session.giveUp() }
    }

    private func set(_ session: PostgreSQLSession, lock: String, statement: String) throws(PostgreSQLFailure) {
        try session.run(
            "SELECT set_config('lock_timeout', \(lock), false), set_config('statement_timeout', \(statement), false)")
    }
}
