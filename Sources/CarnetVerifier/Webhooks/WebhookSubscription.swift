import CarnetRecords
import CarnetStorage

/// Who wants to know what.
package struct WebhookSubscription: Sendable, Hashable {
    /// 16 hexadecimal digits.
    package let id: String
    /// The operators' name for it.
    package let name: String
    /// Where messages go.
    package let url: String
    /// What is told.
    package let events: [WebhookEventKind]
    /// Of which machines: those that have all of these labels. What is about no single machine is told whatever they are.
    package let labels: NodeLabels
    /// When it was added, in seconds since 1970.
    package let createdAt: Int64
    /// The identifier of the API token with which it was.
    package let createdBy: String

    init(
        id: String, name: String, url: String, events: [WebhookEventKind], labels: NodeLabels, createdAt: Int64,
        createdBy: String
    ) {
        self.id = id
        self.name = name
        self.url = url
        self.events = events
        self.labels = labels
        self.createdAt = createdAt
        self.createdBy = createdBy
    }

    init(row: SQLRow) throws(StorageError) {
        self.init(
            id: try row.text("id"), name: try row.text("name"), url: try row.text("url"),
            events: WebhookEventKind.list(stored: try row.text("events")),
            labels: try NodeLabels(stored: row.text("labels")),
            createdAt: try row.integer("created_at"), createdBy: try row.text("created_by"))
    }
}

/// How a subscription fares.
package struct WebhookStatus: Sendable {
    /// What it is.
    package let subscription: WebhookSubscription
    let receiver: ReceiverState
    /// How many messages wait.
    let waiting: Int64
    /// What was wrong last, in a sentence.
    let lastError: String?

    /// One word: `new` before the first message, `working`, `failing` from the third failure in a row on, or from the first where no
    /// message ever arrived.
    var state: String {
        if receiver.isFailing { return "failing" }
        if receiver.lastSuccessAt == nil { return receiver.failures == 0 ? "new" : "failing" }
        return "working"
    }
}

/// One message to one receiver, as it is listed.
package struct WebhookDeliveryRecord: Sendable {
    let id: String
    let event: String
    let lane: String
    let number: Int64
    let state: String
    let attempts: Int64
    let createdAt: Int64
    let nextAt: Int64
    let endedAt: Int64?
    let lastStatus: Int64?
    let lastError: String?

    init(row: SQLRow) throws(StorageError) {
        id = try row.text("id")
        event = try row.text("event")
        lane = try row.text("lane")
        number = try row.integer("number")
        state = try row.text("state")
        attempts = try row.integer("attempts")
        createdAt = try row.integer("created_at")
        nextAt = try row.integer("next_at")
        endedAt = try row.optionalInteger("ended_at")
        lastStatus = try row.optionalInteger("last_status")
        lastError = try row.optionalText("last_error")
    }
}
