import CarnetRecords
import CarnetStorage

extension WebhookQueue {
    /// How many are dropped in one transaction.
    private static let dropCount: Int64 = 500
    /// How long messages that arrived, or were given up, are listed: seconds, and how many of one subscription.
    private static let keptSeconds: Int64 = 7 * 86_400
    private static let keptCount: Int64 = 1000

    /// Drops what is too much, and forgets what is over. The oldest of the longest lane goes first: a machine that changes its mind all the time
    /// pushes out its own messages, not those of others.
    ///
    /// - Returns: How many messages were dropped.
    func tidy(_ webhook: String, at now: Int64, maximumWaiting: Int64 = WebhookQueue.maximumWaiting) async throws -> Int
    {
        let excess = try await ledger.read { connection in
            try connection.rows(
                """
                SELECT lane, number FROM (
                    SELECT lane, number, created_at,
                        row_number() OVER (PARTITION BY lane ORDER BY number DESC) AS place
                    FROM webhook_deliveries WHERE webhook = \(webhook) AND state = 'waiting') AS ranked
                ORDER BY place, created_at DESC, lane LIMIT \(Self.dropCount) OFFSET \(maximumWaiting)
                """
            ).map { (try $0.text("lane"), try $0.integer("number")) }
        }
        if !excess.isEmpty { try await drop(excess, of: webhook, at: now) }
        let ended = now - Self.keptSeconds
        let last = try await ledger.read { connection in
            try connection.row(
                """
                SELECT ended_at FROM webhook_deliveries WHERE webhook = \(webhook) AND state <> 'waiting'
                ORDER BY ended_at DESC LIMIT 1 OFFSET \(Self.keptCount)
                """)?.optionalInteger("ended_at")
        }
        let before = max(ended, last ?? ended)
        let isDue = try await ledger.read { connection in
            try connection.row(
                """
                SELECT 1 FROM webhook_deliveries
                WHERE webhook = \(webhook) AND state <> 'waiting' AND ended_at <= \(before) LIMIT 1
                """) != nil
        }
        guard isDue else { return excess.count }
        try await ledger.change(at: now) { connection in
            try connection.execute(
                """
                DELETE FROM webhook_deliveries
                WHERE webhook = \(webhook) AND state <> 'waiting' AND ended_at <= \(before)
                """)
            return .unremarkable(())
        }
        return excess.count
    }

    private func drop(_ excess: [(String, Int64)], of webhook: String, at now: Int64) async throws {
        try await ledger.change(at: now) { connection in
            var count = 0
            for (lane, number) in excess {
                count += try connection.execute(
                    """
                    UPDATE webhook_deliveries SET state = 'dropped', ended_at = \(now)
                    WHERE webhook = \(webhook) AND lane = \(lane) AND number = \(number) AND state = 'waiting'
                    """)
            }
            guard count > 0 else { return .nothing(()) }
            return .recorded((), .webhook(WebhookLoss(webhook: webhook, reason: .overflow, count: Int64(count))))
        }
    }
}
