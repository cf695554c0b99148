package import CarnetResult
import CarnetStorage
import Logging

/// The signing keys as one replica knows them, read again from the database before they are older than ``noticeInterval``.
///
/// A replica that another one's rotation has not reached yet signs with the old key for no longer than that: well within the time for
/// which a retiring key stays published. The age is measured by a clock that nobody sets.
package actor SigningKeys {
    /// How old what is known may be when something is signed.
    package static let noticeInterval = Duration.seconds(2)
    /// How much longer the public keys are shown while the database cannot be read.
    package static let publicInterval = Duration.seconds(300)

    private let store: SigningKeyStore
    private let noticeInterval: Duration
    private let clock = ContinuousClock()
    private var held: Snapshot?
    private var loading: Task<Snapshot, any Error>?
    /// The public part of every key that this process has opened, also of those that have ended since.
    private var opened: [String: JSONWebKey] = [:]
    /// How often this replica has changed the keys: a reading that began before a change is not kept after it.
    private var changeCount = 0

    /// The keys in a store.
    package init(_ store: SigningKeyStore, noticeInterval: Duration = SigningKeys.noticeInterval) {
        self.store = store
        self.noticeInterval = noticeInterval
    }

    private struct Snapshot: Sendable {
        let current: SigningKey
        let keys: [String: SigningKey]
        let published: JSONWebKeySet
        let readAt: ContinuousClock.Instant
    }

    /// What relying parties are shown.
    package struct Published: Sendable {
        package let keySet: JSONWebKeySet
        /// The `kid` of the key that signs.
        package let current: String
    }

    /// The key that signs now. What it signs must state a time that was read before this call.
    ///
    /// - Throws: When the database cannot be read, or a key in it cannot be used: nothing is signed then.
    package func signer() async throws -> SigningKey { try await fresh().current }

    /// The keys to publish.
    package func published() async throws -> Published {
        let snapshot: Snapshot
        do {
            snapshot = try await fresh()
        } catch let error as StorageError where error.code == .unavailable {
            guard let held, clock.now - held.readAt < Self.publicInterval else { throw error }
            snapshot = held
        }
        return Published(keySet: snapshot.published, current: snapshot.current.keyID)
    }

    /// Every key that this verifier knows to be its own: those that sign or signed a moment ago, and those that ended while it ran. The database
    /// alone makes no key the verifier's: only what the key-encryption key opens counts.
    package func own() async throws -> JSONWebKeySet {
        _ = try await fresh()
        return JSONWebKeySet(opened)
    }

    /// Changes the keys, and knows of it when it returns.
    package func change(
        _ body: @Sendable (SigningKeyStore) async throws -> [SigningKeyRing.Event]
    ) async throws -> [SigningKeyRing.Event] {
        let events = try await body(store)
        guard !events.isEmpty else { return events }
        changeCount += 1
        loading = nil
        // What was known is good for nothing but to spare the opening of keys again.
        held = held.map { old in
            Snapshot(current: old.current, keys: old.keys, published: old.published, readAt: clock.now - .seconds(3600))
        }
        _ = try? await fresh()
        return events
    }

    private func fresh() async throws -> Snapshot {
        if let held, clock.now - held.readAt < noticeInterval { return held }
        if let loading { return try await loading.value }
        let began = clock.now, known = held?.keys ?? [:], count = changeCount
        let task = Task { [store] in
            let (current, keys) = try await store.keys(reusing: known)
            guard let signer = keys[current] else { throw SigningKeyRing.Refusal.unsound }
            return Snapshot(
                current: signer, keys: keys, published: JSONWebKeySet(keys.mapValues(\.publicKey)), readAt: began)
        }
        loading = task
        defer { if count == changeCount { loading = nil } }
        let snapshot = try await task.value
        opened.merge(snapshot.keys.mapValues(\.publicKey)) { old, _ in old }
        if count == changeCount { held = snapshot }
        return snapshot
    }
}
