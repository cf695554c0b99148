import CarnetRecords
import CarnetService
import CarnetStorage
import Cryptography
import StrictEncoding

/// The subscriptions, and the secrets by which their receivers know the verifier. A secret is shown once, and kept wrapped.
package struct WebhookStore: Sendable {
    let ledger: Ledger
    let wrapping: KeyEncryptionKey

    /// The most subscriptions: each has at most one request under way.
    static let maximumCount = 64
    /// How long the secret before the present one signs beside it, unless an operator says otherwise, in seconds.
    static let overlap: Int64 = 86_400
    /// The longest that one may ask for, in seconds.
    static let longestOverlap: Int64 = 7 * 86_400

    /// What a wrapped secret is bound to.
    static func context(_ id: String, of webhook: String) -> String { "webhook/\(webhook)/\(id)" }

    /// Adds a subscription.
    ///
    /// - Returns: The subscription and its secret, which nobody can learn again.
    /// - Throws: ``Problem``: 409 when the name is taken or there are too many.
    package func add(
        name: String, url: WebhookURL, events: [WebhookEventKind], labels: NodeLabels, by creator: String, now: Int64
    ) async throws -> (WebhookSubscription, secret: String) {
        let secret = WebhookSecret()
        let subscription = WebhookSubscription(
            id: Hexadecimal.encode(SecureRandom.bytes(8)), name: name, url: url.text, events: events, labels: labels,
            createdAt: now, createdBy: creator)
        let kinds = events.map(\.rawValue).joined(separator: " ")
        try await ledger.change(at: now) { connection in
            let names = try connection.rows("SELECT name FROM webhooks").map { try $0.text("name") }
            guard names.count < Self.maximumCount else { throw Problem.full("subscriptions", Self.maximumCount) }
            guard !names.contains(name) else {
                throw Problem.conflict(
                    "name-taken", title: "The name is taken", "Another subscription has this name.", member: "name")
            }
            try connection.execute(
                """
                INSERT INTO webhooks (id, name, url, events, labels, created_at, created_by)
                VALUES (\(subscription.id), \(name), \(url.text), \(kinds), \(labels.stored), \(now), \(creator))
                """)
            try insert(secret, of: subscription.id, at: now, in: connection)
            // The path may be a secret of the receiver's: the ledger, which is exported, names the origin alone.
            let details = ["name": name, "receiver": url.origin, "events": kinds]
            return .recorded(
                (), .operation(OperatorAction(.webhookAdded, subscription.id, by: creator, details: details)))
        }
        return (subscription, secret.text)
    }

    /// Removes a subscription with everything that waits for it.
    ///
    /// - Returns: Whether there was one.
    package func remove(_ id: String, by remover: String, now: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            guard let row = try connection.row("SELECT name FROM webhooks WHERE id = \(id)") else {
                return .nothing(false)
            }
            let name = try row.text("name")
            try connection.execute("DELETE FROM webhooks WHERE id = \(id)")
            try connection.execute("DELETE FROM webhook_secrets WHERE webhook = \(id)")
            try connection.execute("DELETE FROM webhook_deliveries WHERE webhook = \(id)")
            try connection.execute("DELETE FROM webhook_receivers WHERE webhook = \(id)")
            return .recorded(
                true, .operation(OperatorAction(.webhookRemoved, id, by: remover, details: ["name": name])))
        }
    }

    /// Gives a subscription another secret.
    ///
    /// - Parameter overlap: How long the present one signs beside it, in seconds. One from before that ends now: there are two at most.
    /// - Returns: The new secret; `nil` when there is no such subscription.
    package func rotateSecret(
        of id: String, overlap: Int64, by operatorID: String, now: Int64
    ) async throws -> String? {
        let secret = WebhookSecret()
        let isThere = try await ledger.change(at: now) { connection in
            guard try connection.row("SELECT 1 FROM webhooks WHERE id = \(id)") != nil else {
                return .nothing(false)
            }
            try connection.execute("DELETE FROM webhook_secrets WHERE webhook = \(id) AND expires_at IS NOT NULL")
            if overlap > 0 {
                try connection.execute("UPDATE webhook_secrets SET expires_at = \(now + overlap) WHERE webhook = \(id)")
            } else {
                try connection.execute("DELETE FROM webhook_secrets WHERE webhook = \(id)")
            }
            try insert(secret, of: id, at: now, in: connection)
            return .recorded(
                true,
                .operation(
                    OperatorAction(
                        .webhookSecretRotated, id, by: operatorID, details: ["overlap_seconds": String(overlap)])))
        }
        return isThere ? secret.text : nil
    }

    /// Sends a message that says nothing but that it arrived.
    ///
    /// - Returns: Whether there is such a subscription.
    package func test(_ id: String, by operatorID: String, now: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            guard try connection.row("SELECT 1 FROM webhooks WHERE id = \(id)") != nil else {
                return .nothing(false)
            }
            return .recorded(true, .operation(OperatorAction(.webhookTested, id, by: operatorID)))
        }
    }

    /// All subscriptions by name, or the one with an identifier, and how they fare.
    package func list(_ id: String? = nil) async throws -> [WebhookStatus] {
        try await ledger.read { connection in
            let rows =
                if let id {
                    try connection.rows("SELECT * FROM webhooks WHERE id = \(id)")
                } else { try connection.rows("SELECT * FROM webhooks ORDER BY name") }
            return try rows.map { row in
                let subscription = try WebhookSubscription(row: row), id = subscription.id
                let state = try connection.row("SELECT * FROM webhook_receivers WHERE webhook = \(id)")
                let waiting = try connection.row(
                    "SELECT COUNT(*) AS count FROM webhook_deliveries WHERE webhook = \(id) AND state = 'waiting'")
                return WebhookStatus(
                    subscription: subscription, receiver: try state.map(ReceiverState.init(row:)) ?? ReceiverState(),
                    waiting: try waiting?.integer("count") ?? 0, lastError: try state?.optionalText("last_error"))
            }
        }
    }

    /// The newest messages of a subscription, at most `limit`; `nil` when there is no such subscription.
    package func deliveries(of id: String, _ limit: Int) async throws -> [WebhookDeliveryRecord]? {
        let limit = Int64(limit)
        return try await ledger.read { connection in
            guard try connection.row("SELECT 1 FROM webhooks WHERE id = \(id)") != nil else { return nil }
            return try connection.rows(
                """
                SELECT * FROM webhook_deliveries WHERE webhook = \(id) ORDER BY created_at DESC, lane, number DESC LIMIT \(limit)
                """
            ).map(WebhookDeliveryRecord.init(row:))
        }
    }

    private func insert(
        _ secret: WebhookSecret, of webhook: String, at now: Int64, in connection: any SQLConnection
    ) throws {
        try wrapping.requireInForce(in: connection)
        let id = Hexadecimal.encode(SecureRandom.bytes(8))
        let wrapped = try wrapping.wrap(secret.key, context: Self.context(id, of: webhook))
        try connection.execute(
            """
            INSERT INTO webhook_secrets (id, webhook, nonce, wrapped, created_at)
            VALUES (\(id), \(webhook), \(wrapped.nonce), \(wrapped.bytes), \(now))
            """)
    }
}

extension ReceiverState {
    init(row: SQLRow) throws(StorageError) {
        self.init(
            failures: try row.integer("failures"), failingSince: try row.optionalInteger("failing_since"),
            resumesAt: try row.integer("resumes_at"), lastSuccessAt: try row.optionalInteger("last_success_at"))
    }
}
