package import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/signing-keys`: which keys sign, which sign next, and how they end.
package struct AdminSigningKeyRoutes: Sendable {
    package let keys: SigningKeys
    package let store: SigningKeyStore
    package let schedule: SigningKeySchedule
    package let checkpoints: LedgerCheckpoints
    package let clock: WallClock

    /// The routes over the keys.
    package init(
        keys: SigningKeys, store: SigningKeyStore, schedule: SigningKeySchedule, checkpoints: LedgerCheckpoints,
        clock: WallClock
    ) {
        self.keys = keys
        self.store = store
        self.schedule = schedule
        self.checkpoints = checkpoints
        self.clock = clock
    }

    package var routes: [Route] {
        [
            Route(.get, "/admin/v1/signing-keys", access: .operator(atLeast: .viewer)) { _ in try await listing() },
            Route(
                .post, "/admin/v1/signing-keys/rotation", access: .operator(atLeast: .admin),
                accepts: ["application/json"], upTo: 4096
            ) { request in
                let decision = try Self.decision(request)
                let now = clock.now
                try await change(request) { try await $0.rotate(at: now, decision) }
                return try await listing()
            },
            Route(
                .post, "/admin/v1/signing-keys/{id}/revocation", access: .operator(atLeast: .admin),
                accepts: ["application/json"], upTo: 4096
            ) { request in
                let kid = try request.pathParameter("id")
                let decision = try Self.decision(request)
                let now = clock.now
                try await change(request) { try await $0.revoke(kid, at: now, decision) }
                await signAnew(request)
                return try await listing()
            },
        ]
    }

    /// Signs the ledger with the key that signs now: whoever starts later cannot know that the revoked one was the verifier's.
    private func signAnew(_ request: ServiceRequest) async {
        do {
            _ = try await checkpoints.make()
        } catch {
            request.logger.error("the ledger has no new checkpoint", metadata: ["reason": .string("\(error)")])
        }
    }

    /// How many ended keys' events are told.
    private static let eventCount: Int64 = 100

    private func listing() async throws -> ServiceResponse {
        let records = try await store.records(), events = try await store.events(Self.eventCount)
        return .json(
            JSONWriter.object { writer in
                writer.array("signing_keys") { writer in
                    for record in records { writer.object { $0.members(of: record, schedule) } }
                }
                writer.array("events") { writer in
                    for event in events { writer.object { $0.members(of: event) } }
                }
            })
    }

    private func change(
        _ request: ServiceRequest, _ body: @Sendable (SigningKeyStore) async throws -> [SigningKeyRing.Event]
    ) async throws {
        do {
            for event in try await keys.change(body) {
                request.logger.notice(
                    "signing key", metadata: ["kid": .string(event.kid), "state": .string(event.state.rawValue)])
            }
        } catch let refusal as SigningKeyRing.Refusal {
            throw problem(refusal)
        }
    }

    private func problem(_ refusal: SigningKeyRing.Refusal) -> Problem {
        switch refusal {
        case .tooYoung(let kid, let time):
            .conflict(
                "key-too-young", title: "The next key is too young",
                "Relying parties may not have the key \(kid) yet; it may sign from \(RFC3339.format(time)) on. If the current key is "
                    + "known to others, revoke it instead.")
        case .unknown: .notFound("There is no signing key with this kid.")
        case .ended:
            .conflict("key-ended", title: "The key has ended", "This key is not published any more, and signs nothing.")
        case .unsound:
            .unavailable(
                "The signing keys cannot be used.", retryAfter: 60,
                cause: "the database does not hold one current and one next signing key")
        }
    }

    /// Who, and why: one line of text, for it is printed on terminals.
    private static func decision(_ request: ServiceRequest) throws -> SigningKeyStore.Decision {
        let body = try RequestObject(request.body)
        try body.requireOnly(["reason"])
        let reason = try body.string("reason", upTo: 500)
        guard !reason.isEmpty,
            reason.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        else { throw Problem.malformed("A reason has 1 to 500 bytes on one line.", member: "reason") }
        return SigningKeyStore.Decision(by: request.principal?.id ?? "", reason: reason)
    }
}

extension JSONWriter {
    fileprivate mutating func members(of key: SigningKeyRecord, _ schedule: SigningKeySchedule) {
        string("kid", key.kid)
        string("state", key.state.rawValue)
        string("published_at", RFC3339.format(key.publishedAt))
        if key.state == .next { string("signs_from", RFC3339.format(key.mayActivate(schedule))) }
        if let time = key.activatedAt { string("activated_at", RFC3339.format(time)) }
        if key.state == .current, let time = key.activatedAt {
            string("rotates_at", RFC3339.format(time + schedule.period))
        }
        if let time = key.retiringAt { string("retiring_at", RFC3339.format(time)) }
        if let time = key.publishedUntil { string("published_until", RFC3339.format(time)) }
        if let time = key.endedAt { string("ended_at", RFC3339.format(time)) }
    }

    fileprivate mutating func members(of event: SigningKeyEvent) {
        integer("number", event.number)
        string("time", RFC3339.format(event.time))
        string("kid", event.kid)
        string("state", event.state.rawValue)
        string("decided_by", event.decidedBy)
        string("reason", event.reason)
    }
}
