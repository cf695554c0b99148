import CarnetLedger
package import CarnetStorage

/// The append-only record of everything that a service decides and that is done to it.
///
/// Each writer has a chain of its own, so replicas do not wait for one another. Stores change nothing but through ``change(at:_:)``, which
/// writes what happened in the transaction in which it happens.
package struct Ledger: Sendable {
    package let database: any SQLDatabase
    package let writer: String
    let form: RecordsForm

    /// The ledger in `database`.
    ///
    /// - Parameter writer: Names this writer's chain, as `LedgerEntryRecord.isChainName` allows. Two replicas with the same name share a
    ///   chain and take turns.
    package init(_ database: any SQLDatabase, writer: String = Ledger.defaultWriter, form: RecordsForm) {
        self.database = database
        self.writer = writer
        self.form = form
    }

    /// The chain of a writer that was given no other name.
    package static let defaultWriter = "main"

    /// Reads the database in which the ledger is.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value { try await database.read(body) }

    /// Changes the database, and writes down what was changed, in one transaction.
    ///
    /// - Parameter now: Seconds since 1970.
    /// - Throws: ``StorageError/Code/refused`` when `body` changed rows and says that nothing happened: nothing of it stays.
    package func change<Value: Sendable>(
        at now: Int64, _ body: @escaping @Sendable (any SQLConnection) throws -> LedgerChange<Value>
    ) async throws -> Value {
        try await database.write { [writer, form] connection in
            let watched = WatchedConnection(connection)
            let change = try body(watched)
            guard change.isExplained || watched.changedRowCount == 0 else {
                throw StorageError(.refused, "rows were changed, and no ledger entry says so")
            }
            for event in change.events {
                guard let number = try Self.append(event, at: now, writer, connection) else { continue }
                let place = LedgerPlace(chain: writer, number: number)
                try form.note(event, place, now, connection)
            }
            return change.value
        }
    }

    /// Writes an event that changes nothing else.
    package func append(_ event: LedgerEvent, at now: Int64) async throws {
        try await change(at: now) { _ in .recorded((), event) }
    }

    /// Writes an event at the end of a writer's chain, in the transaction of what it tells.
    ///
    /// - Returns: Its number in the chain; `nil` when its challenge was used before, and nothing was written.
    @discardableResult
    package static func append(
        _ event: LedgerEvent, at now: Int64, _ writer: String, _ connection: any SQLConnection
    ) throws(StorageError) -> Int64? {
        let last = try connection.row(
            "SELECT number, hash FROM ledger WHERE chain = \(writer) ORDER BY number DESC LIMIT 1")
        if last == nil {
            try connection.execute(
                """
                INSERT INTO ledger_chains (chain, started_at) VALUES (\(writer), \(now))
                ON CONFLICT (chain) DO NOTHING
                """)
        }
        let fact = event.fact
        let name = try fact.actor.flatMap { actor throws(StorageError) in
            try connection.row("SELECT name FROM api_tokens WHERE id = \(actor)")?.text("name")
        }
        let number = try last.map { row throws(StorageError) in try row.integer("number") } ?? -1
        guard number < LedgerEntryRecord.maximumNumber else {
            throw StorageError(.unexpectedValue, "the number of the ledger's last entry is none")
        }
        let record = LedgerEntryRecord(
            chain: writer, number: number + 1,
            previous: try last.map { row throws(StorageError) in try row.bytes("hash") } ?? LedgerEntryRecord.root,
            time: now, kind: fact.kind, subject: fact.subject, challenge: fact.challenge,
            body: event.body(actorName: name))
        let count = try connection.execute(
            """
            INSERT INTO ledger (chain, number, previous, hash, time, kind, subject, challenge, body)
            VALUES (\(writer), \(record.number), \(record.previous), \(record.hash), \(now), \(record.kind),
                \(record.subject), \(record.challenge), \(record.body))
            ON CONFLICT (challenge) DO NOTHING
            """)
        return count == 1 ? record.number : nil
    }

    /// How long what anybody can cause is not written again after it was, in seconds.
    package static let failureInterval: Int64 = 10

    /// Whether no entry of this kind was written about this subject lately: what anybody can cause is not written each time.
    package static func isQuiet(
        _ kind: String, about subject: String, at now: Int64, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        let last = try connection.row(
            """
            SELECT time FROM ledger WHERE subject = \(subject) AND kind = \(kind) ORDER BY time DESC LIMIT 1
            """)
        return try last.map { row throws(StorageError) in try row.integer("time") <= now - failureInterval } ?? true
    }
}
