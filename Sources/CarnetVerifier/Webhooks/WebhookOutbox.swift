import CarnetRecords
import CarnetStorage
import Cryptography
import StrictEncoding

/// Puts messages where they wait, in the transaction of what they tell: there is none without its ledger entry, and no entry without its messages.
enum WebhookOutbox {
    /// An authentic appraisal was recorded.
    ///
    /// - Parameter node: The machine, whose keys signed what was appraised. What anybody can send in its name is not told.
    static func note(
        _ entry: LedgerEntry, of node: Node, at place: LedgerPlace, in connection: any SQLConnection
    ) throws(StorageError) {
        let previous = try NodeHealth.of(node.id, in: connection)
        let (health, turn) = NodeHealth.after(entry.outcome, from: previous)
        // Nearly always: one row is read, and none written.
        guard health != previous else { return }
        try health.store(of: node.id, at: entry.time, in: connection)
        guard let turn else { return }
        try put(WebhookMessage(turn, node, from: previous, entry, at: place), at: entry.time, in: connection)
    }

    /// Anything else was recorded.
    static func note(
        _ event: LedgerEvent, at place: LedgerPlace, now: Int64, in connection: any SQLConnection
    ) throws(StorageError) {
        switch event.fact {
        case let revocation as Revocation:
            let id = try machine(of: revocation, in: connection)
            let node = try id.flatMap { id throws(StorageError) in
                try connection.row("SELECT * FROM nodes WHERE id = \(id)")
            }
            let message = WebhookMessage(
                revocation, of: id, try node.map { row throws(StorageError) in try Node(row: row) }, at: place)
            try put(message, at: now, in: connection)
        case let action as OperatorAction:
            if let message = WebhookMessage(action, at: now, place) { try put(message, at: now, in: connection) }
        default: break
        }
    }

    /// The machine whose passports a decision is about, if it is one.
    private static func machine(
        of revocation: Revocation, in connection: any SQLConnection
    ) throws(StorageError) -> String? {
        switch revocation.target {
        case .node(let id): return id
        case .token(let id):
            return try connection.row("SELECT node_id FROM status_entries WHERE token_id = \(id)")?
                .optionalText("node_id")
        case .policy, .issuedBefore: return nil
        }
    }

    private static func put(
        _ message: WebhookMessage, at now: Int64, in connection: any SQLConnection
    ) throws(StorageError) {
        for row in try connection.rows("SELECT id, events, labels FROM webhooks ORDER BY id") {
            let id = try row.text("id")
            if let recipient = message.recipient {
                guard recipient == id else { continue }
            } else {
                guard WebhookEventKind.list(stored: try row.text("events")).contains(message.kind) else { continue }
                let wanted = try NodeLabels(stored: row.text("labels"))
                if let labels = message.labels?.values, !wanted.values.allSatisfy({ labels[$0.key] == $0.value }) {
                    continue
                }
            }
            try put(message, for: id, at: now, in: connection)
        }
    }

    private static func put(
        _ message: WebhookMessage, for webhook: String, at now: Int64, in connection: any SQLConnection
    ) throws(StorageError) {
        let lane = message.lane
        let last = try connection.row(
            """
            SELECT number FROM webhook_deliveries WHERE webhook = \(webhook) AND lane = \(lane)
            ORDER BY number DESC LIMIT 1
            """)
        let number = try last.map { row throws(StorageError) in try row.integer("number") + 1 } ?? 0
        let id = "msg_" + Hexadecimal.encode(SecureRandom.bytes(16))
        try connection.execute(
            """
            INSERT INTO webhook_deliveries
                (webhook, lane, number, id, event, body, created_at, state, attempts, next_at)
            VALUES (\(webhook), \(lane), \(number), \(id), \(message.kind.rawValue), \(message.body), \(now), 'waiting', 0,
                \(now))
            """)
    }
}
