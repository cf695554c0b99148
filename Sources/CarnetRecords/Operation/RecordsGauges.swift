import CarnetLedger
package import CarnetService
import CarnetStorage
import Logging

/// What a service looks up when its metrics are fetched: keys and ledger, and what it has besides.
///
/// It looks once in a few seconds, since anybody may ask who reaches the listener. What cannot be read stays as it was, and counts as an error
/// of the database.
package actor RecordsGauges {
    private static let interval = Duration.seconds(5)
    private let registry: MetricRegistry
    private let ledger: Ledger
    private let checkpoints: LedgerCheckpoints
    private let keys: SigningKeyStore
    private let schedule: SigningKeySchedule
    private let clock: WallClock
    private let others: @Sendable () async -> Void
    private var lookedAt: ContinuousClock.Instant?

    /// The gauges of a service.
    ///
    /// - Parameter others: Looks up what the service has besides.
    package init(
        _ registry: MetricRegistry, of records: Records, _ schedule: SigningKeySchedule, clock: WallClock,
        others: @escaping @Sendable () async -> Void = {}
    ) {
        self.registry = registry
        ledger = records.ledger
        checkpoints = records.checkpoints
        keys = records.signingKeyStore
        self.schedule = schedule
        self.clock = clock
        self.others = others
    }

    /// Their families.
    package static let families = [
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
            "1 while the ledger in the database goes on from the checkpoint that this service knows; 0 when it was set back or changed."
        ),
    ]

    /// Looks, unless that was a moment ago.
    package func collect() async {
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
        await others()
        if let isTrusted = try? await checkpoints.isTrusted() {
            registry.set("carnet_ledger_trusted", isTrusted ? 1 : 0)
        }
        if let last = try? await checkpoints.last() {
            registry.set("carnet_ledger_checkpoint_age_seconds", Double(now) - Double(last.time))
        }
    }
}
