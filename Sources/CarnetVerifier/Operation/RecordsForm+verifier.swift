package import CarnetRecords
import CarnetStorage

extension RecordsForm {
    /// What the verifier keeps: whoever wants to know of an event gets a message in the transaction of its entry, and receivers' secrets are
    /// wrapped.
    package static let verifier = RecordsForm(hasFirstForm: true, wrappedTables: [.webhookSecrets]) {
        event, place, now, connection in
        try WebhookOutbox.note(event, at: place, now: now, in: connection)
    }
}

extension WrappedTable {
    /// The secrets with which messages to receivers are signed.
    fileprivate static let webhookSecrets = WrappedTable { connection in
        try connection.row("SELECT 1 FROM webhook_secrets LIMIT 1") != nil
    } rows: { connection in
        try connection.rows("SELECT id, webhook, nonce, wrapped FROM webhook_secrets ORDER BY id").map { row in
            let id = try row.text("id")
            return WrappedRow(
                id: id, context: WebhookStore.context(id, of: try row.text("webhook")),
                wrapped: WrappedKey(nonce: try row.bytes("nonce"), bytes: try row.bytes("wrapped"))
            ) { other, connection in
                try connection.execute(
                    "UPDATE webhook_secrets SET nonce = \(other.nonce), wrapped = \(other.bytes) WHERE id = \(id)")
            }
        }
    }
}

extension KeyStore.Purpose {
    /// Seals session identifiers.
    package static let session = KeyStore.Purpose("session")
}

extension KeyStore {
    /// The subscriptions, whose secrets are wrapped as the keys are.
    package func webhooks(_ ledger: Ledger) -> WebhookStore { WebhookStore(ledger: ledger, wrapping: wrapping) }

    /// What waits to be sent to them.
    func webhookQueue(_ ledger: Ledger) -> WebhookQueue { WebhookQueue(ledger: ledger, wrapping: wrapping) }
}
