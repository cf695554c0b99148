import CarnetRecords
import CarnetStorage
import Cryptography

/// What waits to be sent, and whose turn it is. The database decides, so several verifiers send each message once as long as none of them is cut
/// off, and twice at most by accident: then with the same identifier.
struct WebhookQueue: Sendable {
    let ledger: Ledger
    let wrapping: KeyEncryptionKey

    /// How many messages may wait for one receiver; of more the oldest of the longest lanes are dropped.
    static let maximumWaiting: Int64 = 10_000
    /// What is to be done later than this, in seconds from now, was written while the clock was ahead: it is due. Nothing waits longer than for
    /// the longest pause, or has a lease for longer.
    static let farthest = WebhookRetry.longestDelay

    /// One message to be sent now.
    struct Delivery: Sendable {
        let webhook: String
        let url: String
        let lane: String
        let number: Int64
        let id: String
        let event: String
        let body: [UInt8]
        let retry: WebhookRetry
        let receiver: ReceiverState
        /// The keys that sign it, the newest first.
        let keys: [[UInt8]]
    }

    /// The subscriptions for which something is to be sent now.
    func due(at now: Int64) async throws -> [String] {
        try await ledger.read { connection in
            try connection.rows(
                """
                SELECT DISTINCT waiting.webhook AS webhook FROM webhook_deliveries AS waiting
                LEFT JOIN webhook_receivers AS receiver ON receiver.webhook = waiting.webhook
                WHERE waiting.state = 'waiting' AND (waiting.next_at <= \(now) OR waiting.next_at > \(now + Self.farthest))
                    AND (receiver.resumes_at IS NULL OR receiver.resumes_at <= \(now)
                        OR receiver.resumes_at > \(now + Self.farthest))
                    AND (receiver.leased_until IS NULL OR receiver.leased_until <= \(now)
                        OR receiver.leased_until > \(now + Self.farthest))
                """
            ).map { try $0.text("webhook") }
        }
    }

    /// Takes a subscription for one verifier, or keeps it.
    ///
    /// - Parameters:
    ///   - holder: The verifier, by a name that no other has.
    ///   - seconds: For how long. Clocks of replicas differ by less, or a message is sent twice.
    /// - Returns: Whether it is this one's.
    func lease(_ webhook: String, to holder: String, at now: Int64, for seconds: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            guard try connection.row("SELECT 1 FROM webhooks WHERE id = \(webhook)") != nil else {
                return .nothing(false)
            }
            let count = try connection.execute(
                """
                INSERT INTO webhook_receivers (webhook, holder, leased_until, failures, resumes_at)
                VALUES (\(webhook), \(holder), \(now + seconds), 0, 0)
                ON CONFLICT (webhook) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until
                WHERE webhook_receivers.holder = \(holder) OR webhook_receivers.leased_until <= \(now)
                    OR webhook_receivers.leased_until > \(now + Self.farthest)
                """)
            return .unremarkable(count == 1)
        }
    }

    /// Gives it back before its time.
    func release(_ webhook: String, by holder: String, at now: Int64) async throws {
        try await ledger.change(at: now) { connection in
            try connection.execute(
                "UPDATE webhook_receivers SET leased_until = 0 WHERE webhook = \(webhook) AND holder = \(holder)")
            return .unremarkable(())
        }
    }

    /// The next message of a subscription: of each lane the first that waits, of these the oldest that is due.
    func next(_ webhook: String, at now: Int64) async throws -> Delivery? {
        try await ledger.read { [wrapping] connection in
            let receiver =
                try connection.row("SELECT * FROM webhook_receivers WHERE webhook = \(webhook)")
                .map(ReceiverState.init(row:)) ?? ReceiverState()
            guard receiver.resumesAt <= now || receiver.resumesAt > now + Self.farthest,
                let url = try connection.row("SELECT url FROM webhooks WHERE id = \(webhook)")?.text("url"),
                let row = try connection.row(
                    """
                    SELECT * FROM webhook_deliveries AS head
                    WHERE head.webhook = \(webhook) AND head.state = 'waiting'
                        AND (head.next_at <= \(now) OR head.next_at > \(now + Self.farthest))
                        AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS earlier
                            WHERE earlier.webhook = head.webhook AND earlier.lane = head.lane
                                AND earlier.state = 'waiting' AND earlier.number < head.number)
                    ORDER BY head.created_at, head.lane LIMIT 1
                    """)
            else { return nil }
            let secrets = try connection.rows(
                """
                SELECT id, nonce, wrapped FROM webhook_secrets
                WHERE webhook = \(webhook) AND (expires_at IS NULL OR expires_at > \(now))
                ORDER BY expires_at IS NOT NULL, created_at DESC
                """)
            // Another key-encryption key in force is the likelier reason, and the clearer one.
            try wrapping.requireInForce(in: connection)
            let keys = try secrets.map { secret in
                try wrapping.unwrap(
                    WrappedKey(nonce: secret.bytes("nonce"), bytes: secret.bytes("wrapped")),
                    context: WebhookStore.context(secret.text("id"), of: webhook))
            }
            return Delivery(
                webhook: webhook, url: url, lane: try row.text("lane"), number: try row.integer("number"),
                id: try row.text("id"), event: try row.text("event"), body: try row.bytes("body"),
                retry: WebhookRetry(attempts: try row.integer("attempts"), createdAt: try row.integer("created_at")),
                receiver: receiver, keys: keys)
        }
    }

    /// Writes down what came of an attempt. A message that is given up leaves its entry in the ledger.
    func settle(
        _ delivery: Delivery, _ step: WebhookRetry.Step, status: Int?, error: String?, at now: Int64
    ) async throws {
        var receiver = delivery.receiver
        receiver.answered(isDelivered: step == .delivered, at: now)
        let state = receiver, status = status.map(Int64.init), attempts = delivery.retry.attempts + 1
        let (word, nextAt, endedAt): (String, Int64, Int64?) =
            switch step {
            case .delivered: ("delivered", now, now)
            case .again(let time): ("waiting", time, nil)
            case .giveUp: ("given-up", now, now)
            }
        try await ledger.change(at: now) { connection in
            let count = try connection.execute(
                """
                UPDATE webhook_deliveries SET state = \(word), attempts = \(attempts), next_at = \(nextAt),
                    ended_at = \(endedAt), last_status = \(status), last_error = \(error)
                WHERE webhook = \(delivery.webhook) AND lane = \(delivery.lane) AND number = \(delivery.number)
                    AND state = 'waiting'
                """)
            try connection.execute(
                """
                UPDATE webhook_receivers SET failures = \(state.failures), failing_since = \(state.failingSince),
                    resumes_at = \(state.resumesAt), last_success_at = \(state.lastSuccessAt),
                    last_error = \(error)
                WHERE webhook = \(delivery.webhook)
                """)
            guard case .giveUp(let reason) = step, count == 1 else { return .unremarkable(()) }
            return .recorded(
                (),
                .webhook(
                    WebhookLoss(
                        webhook: delivery.webhook, reason: reason, count: 1, message: delivery.id,
                        event: delivery.event)))
        }
    }
}
