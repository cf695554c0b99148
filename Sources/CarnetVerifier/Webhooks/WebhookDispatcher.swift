import CarnetRecords
import CarnetStorage
import Cryptography
import Logging
import StrictEncoding
import Synchronization

/// Sends what waits, for as long as the service runs. Each subscription is served by one task of one verifier, so a slow receiver holds up its own
/// messages alone.
struct WebhookDispatcher: Sendable {
    let queue: WebhookQueue
    let sender: WebhookSender
    /// How often the database is asked whether something is due.
    let interval: Duration
    let clock: WallClock
    let metrics: VerifierMetrics
    let logger: Logger
    /// This verifier's name while it runs.
    private let holder = Hexadecimal.encode(SecureRandom.bytes(8))

    /// How long a subscription is this verifier's after it was not heard of, in seconds, beside the time of one attempt.
    private static let slack: Int64 = 15

    init(
        queue: WebhookQueue, sender: WebhookSender, interval: Duration, clock: WallClock, metrics: VerifierMetrics,
        logger: Logger
    ) {
        self.queue = queue
        self.sender = sender
        self.interval = interval
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
    }

    /// The subscriptions that are being served here.
    private final class Served: Sendable {
        private let ids = Mutex<Set<String>>([])

        func begin(_ id: String) -> Bool { ids.withLock { $0.insert(id).inserted } }
        func end(_ id: String) { _ = ids.withLock { $0.remove(id) } }
    }

    /// Until the task is cancelled. What is under way then is cut off, and sent again later.
    func run() async {
        let served = Served()
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    for webhook in try await queue.due(at: clock.now) where served.begin(webhook) {
                        group.addTask {
                            await serve(webhook)
                            served.end(webhook)
                        }
                    }
                } catch {
                    tell("it cannot be seen which webhooks are due", error)
                }
                try? await Task.sleep(for: interval)
            }
            group.cancelAll()
        }
    }

    /// Sends everything that is due for a subscription, one message after the other.
    private func serve(_ webhook: String) async {
        do {
            let dropped = try await queue.tidy(webhook, at: clock.now)
            if dropped > 0 { metrics.lostWebhooks(.overflow, dropped) }
            while !Task.isCancelled {
                let isOurs = try await queue.lease(webhook, to: holder, at: clock.now, for: sender.timeout + Self.slack)
                guard isOurs else { return }
                guard let delivery = try await queue.next(webhook, at: clock.now) else { break }
                try await send(delivery)
            }
        } catch {
            tell("messages to a webhook wait", error)
        }
        let queue = queue, holder = holder, now = clock.now
        // Also when this task was cancelled; if it does not succeed, the time runs out.
        await Task { try? await queue.release(webhook, by: holder, at: now) }.value
    }

    private func send(_ delivery: WebhookQueue.Delivery) async throws {
        let time = clock.now
        let outcome = await sender.send(
            delivery.body,
            [
                ("webhook-id", delivery.id), ("webhook-timestamp", String(time)),
                (
                    "webhook-signature",
                    WebhookSignature.value(id: delivery.id, timestamp: time, body: delivery.body, keys: delivery.keys)
                ),
                ("User-Agent", Build.name.split(separator: " ").joined(separator: "/")),
            ], to: delivery.url)
        // Cut off by the end of the service: nobody's failure.
        if Task.isCancelled, !outcome.isDelivered { return }
        let now = clock.now
        var status: Int?, retryAfter: Int64?, error: String?
        switch outcome {
        case .answered(let code, let seconds):
            (status, retryAfter) = (code, seconds)
            if !outcome.isDelivered { error = "The receiver answered with the status \(code)." }
        case .failed(let reason): error = reason
        }
        let step = delivery.retry.after(
            isDelivered: outcome.isDelivered, retryAfter: retryAfter, at: now, jitter: .random(in: 0...1))
        let (queue, code, reason) = (queue, status, error)
        // Also when the service ends meanwhile: what arrived is not to be sent again.
        try await Task { try await queue.settle(delivery, step, status: code, error: reason, at: now) }.value
        metrics.sentWebhook(status == nil ? "unreachable" : outcome.isDelivered ? "delivered" : "refused")
        if case .giveUp(let reason) = step { metrics.lostWebhooks(reason, 1) }
        logger.info(
            "webhook",
            metadata: [
                "webhook": .string(delivery.webhook), "message_id": .string(delivery.id),
                "event": .string(delivery.event),
                "outcome": .string(error ?? "delivered"),
            ])
    }

    private func tell(_ message: Logger.Message, _ error: any Error) {
        guard !Task.isCancelled else { return }
        logger.error(message, metadata: ["cause": .string("\(error)")])
    }
}
