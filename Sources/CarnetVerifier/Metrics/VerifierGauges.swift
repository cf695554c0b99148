import CarnetRecords
import CarnetLedger
import CarnetService
import CarnetStorage
import Logging

/// What a verifier looks up when its metrics are fetched: keys and ledger.
///
/// It looks once in a few seconds, since anybody may ask who reaches the listener. What cannot be read stays as it was, and counts as an error
/// of the database.
actor VerifierGauges {
    private static let interval = Duration.seconds(5)
    private let registry: MetricRegistry
    private let ledger: Ledger
    private let checkpoints: LedgerCheckpoints
    private let keys: SigningKeyStore
    private let schedule: SigningKeySchedule
    private let clock: WallClock
    private var lookedAt: ContinuousClock.Instant?

    init(
        _ registry: MetricRegistry, ledger: Ledger, checkpoints: LedgerCheckpoints, keys: SigningKeyStore,
        schedule: SigningKeySchedule, clock: WallClock
    ) {
        self.registry = registry
        self.ledger = ledger
        self.checkpoints = checkpoints
        self.keys = keys
        self.schedule = schedule
        self.clock = clock
    }

    static let families = [
        MetricFamily("carnet_signing_key_age_seconds", .gauge, "How long the key that signs has signed."),
        MetricFamily(
            "carnet_signing_key_rotation_seconds", .gauge,
            "Until the key that signs is to be replaced on schedule; negative when that is late."),
        MetricFamily(
            "carnet_ledger_entries", .gauge, "Entries that the ledger's chains have had, pruned ones included."),
        MetricFamily(
            "carnet_ledger_checkpoint_age_seconds", .gauge,
            "Since the last signed checkpoint of the ledger. It grows while nothing is written, too."),
        MetricFamily(
            "carnet_ledger_trusted", .gauge,
            "1 while the ledger in the database goes on from the checkpoint that this verifier knows; 0 when it was set back or changed."
        ),
        MetricFamily("carnet_webhook_messages_waiting", .gauge, "Messages that wait for their receivers."),
        MetricFamily(
            "carnet_webhook_receivers_failing", .gauge, "Receivers that did not take the last three messages or more."),
    ]

    /// Looks, unless that was a moment ago.
    func collect() async {
        if let lookedAt, ContinuousClock.now - lookedAt < Self.interval { return }
        lookedAt = ContinuousClock.now
        let now = clock.now
        if let current = try? await keys.records().first(where: { $0.state == .current }) {
            let since = current.activatedAt ?? current.publishedAt
            registry.set("carnet_signing_key_age_seconds", Double(now) - Double(since))
            registry.set("carnet_signing_key_rotation_seconds", Double(since) + Double(schedule.period) - Double(now))
        }
        if let chains = try? await ledger.chains() {
            registry.set("carnet_ledger_entries", chains.reduce(0) { $0 + Double($1.head.number) + 1 })
        }
        if let (waiting, failing) = try? await ledger.webhookLoad() {
            registry.set("carnet_webhook_messages_waiting", Double(waiting))
            registry.set("carnet_webhook_receivers_failing", Double(failing))
        }
        if let isTrusted = try? await checkpoints.isTrusted() {
            registry.set("carnet_ledger_trusted", isTrusted ? 1 : 0)
        }
        if let last = try? await checkpoints.last() {
            registry.set("carnet_ledger_checkpoint_age_seconds", Double(now) - Double(last.time))
        }
    }
}
