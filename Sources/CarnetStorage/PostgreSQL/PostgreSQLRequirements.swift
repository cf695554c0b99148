/// What a server has to be, looked at once for each connection.
enum PostgreSQLRequirements {
    static let leastVersion: Int32 = 15_00_00

    /// Sets the session's limits and checks the server.
    ///
    /// - Throws: ``StorageError/Code/refused`` for a server that cannot keep what ``SQLDatabase`` promises.
    static func check(
        _ session: PostgreSQLSession, version: Int32, _ settings: PostgreSQLSettings
    ) throws(PostgreSQLFailure) {
        if let reason = complaint(version: version) { throw PostgreSQLFailure(.refused, reason) }
        let lock = PostgreSQLSettings.milliseconds(settings.timeout)
        let statement = PostgreSQLSettings.milliseconds(settings.statementTimeout)
        let idle = PostgreSQLSettings.milliseconds(settings.idleTimeout)
        let row = try session.run(
            """
            SELECT set_config('lock_timeout', \(lock), false), set_config('statement_timeout', \(statement), false),
                set_config('idle_in_transaction_session_timeout', \(idle), false),
                current_setting('server_encoding') AS encoding, current_setting('synchronous_commit') AS commits,
                current_setting('fsync') AS syncs, CASE WHEN 'B'::text < 'a'::text THEN 1 ELSE 0 END AS bytewise
            """
        ).rows.first
        do throws(StorageError) {
            guard let row else { throw StorageError(.unexpectedValue, "the server did not tell its settings") }
            let complaint = complaint(
                encoding: try row.text("encoding"), synchronousCommit: try row.text("commits"),
                fsync: try row.text("syncs"), ordersByBytes: try row.integer("bytewise") == 1)
            if let complaint { throw StorageError(.refused, complaint) }
        } catch { throw PostgreSQLFailure(error.code, error.reason) }
    }

    /// What is wrong with the version, a number such as 150018 for 15.18; `nil` when nothing is.
    static func complaint(version: Int32) -> String? {
        version >= leastVersion
            ? nil : "the server is PostgreSQL \(version / 10_000), and Carnet needs 15 or later"
    }

    /// What is wrong with a server's settings; `nil` when nothing is.
    static func complaint(
        encoding: String, synchronousCommit: String, fsync: String, ordersByBytes: Bool
    ) -> String? {
        let create = "create it with ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        if encoding != "UTF8" { return "the database's encoding is \(encoding): " + create }
        if !ordersByBytes { return "the database does not order text by its bytes: " + create }
        if synchronousCommit == "off" {
            return "synchronous_commit is off, so that a crash would forget which challenges were used: set it to on"
        }
        return fsync == "on"
            ? nil : "fsync is \(fsync), so that a loss of power would destroy the database: set it to on"
    }
}
