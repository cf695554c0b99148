package import CarnetStorage

/// Something that happened to a signing key, who decided it and why.
package struct SigningKeyEvent: Sendable, Hashable {
    /// Its place in the order of events, from 0.
    package let number: Int64
    /// When, in seconds since 1970.
    package let time: Int64
    package let kid: String
    /// The state that the key came into.
    package let state: SigningKeyRecord.State
    /// The identifier of an API token, or `schedule`.
    package let decidedBy: String
    package let reason: String

    /// Writes an event down. Whoever calls it tells the ledger.
    package static func record(
        _ event: SigningKeyRing.Event, _ decision: SigningKeyStore.Decision, at now: Int64,
        in connection: any SQLConnection
    ) throws(StorageError) {
        let last = try connection.row("SELECT number FROM signing_key_events ORDER BY number DESC LIMIT 1")
        let number = try last.map { row throws(StorageError) in try row.integer("number") &+ 1 } ?? 0
        let event = SigningKeyEvent(
            number: number, time: now, kid: event.kid, state: event.state, decidedBy: decision.by,
            reason: decision.reason)
        try connection.execute(
            """
            INSERT INTO signing_key_events (number, time, kid, state, decided_by, reason)
            VALUES (\(number), \(now), \(event.kid), \(event.state.rawValue), \(event.decidedBy), \(event.reason))
            """)
    }

    /// The newest events, at most `limit`.
    package static func newest(_ limit: Int64, in connection: any SQLConnection) throws(StorageError)
        -> [SigningKeyEvent]
    {
        var events: [SigningKeyEvent] = []
        for row in try connection.rows("SELECT * FROM signing_key_events ORDER BY number DESC LIMIT \(limit)") {
            guard let state = SigningKeyRecord.State(rawValue: try row.text("state")) else {
                throw StorageError(.unexpectedValue, "a signing key's state is unknown")
            }
            events.append(
                SigningKeyEvent(
                    number: try row.integer("number"), time: try row.integer("time"), kid: try row.text("kid"),
                    state: state, decidedBy: try row.text("decided_by"), reason: try row.text("reason")))
        }
        return events
    }
}
