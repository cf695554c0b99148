import CarnetRecords
package import StrictEncoding

/// Messages that nobody will send any more.
package struct WebhookLoss: LedgerFact, Hashable {
    /// The subscription.
    let webhook: String
    /// Why.
    let reason: WebhookRetry.Reason
    /// How many.
    let count: Int64
    /// The message, if it is one.
    var message: String?
    /// What it told.
    var event: String?

    package var kind: String { "webhook" }
    package var subject: String? { webhook }
    package var actor: String? { nil }

    package func write(to writer: inout JSONWriter, actorName: String?) {
        writer.string("step", "lost")
        writer.string("reason", reason.rawValue)
        writer.integer("messages", count)
        if let message { writer.string("message", message) }
        if let event { writer.string("event", event) }
    }
}
