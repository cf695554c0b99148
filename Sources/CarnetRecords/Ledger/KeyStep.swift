package import StrictEncoding

/// What happens to a key of the service.
package struct KeyStep: LedgerFact, Hashable {
    /// The key's public name: `kid` for one that signs.
    package let keyID: String
    /// What it is for, such as `signing`.
    package let purpose: String
    /// What it is now: ``SigningKeyRecord/State``, or `wrapping` for the key that wraps the others.
    package let state: String
    /// Who made it so; `nil` for the schedule.
    package let by: String?
    /// Why, in one line; empty where there is nothing to say.
    package let reason: String

    /// A step.
    package init(keyID: String, purpose: String, state: String, by: String?, reason: String = "") {
        self.keyID = keyID
        self.purpose = purpose
        self.state = state
        self.by = by
        self.reason = reason
    }

    /// A signing key's step.
    init(_ event: SigningKeyRing.Event, _ decision: SigningKeyStore.Decision) {
        self.init(
            keyID: event.kid, purpose: "signing", state: event.state.rawValue,
            by: decision == .schedule ? nil : decision.by, reason: decision.reason)
    }

    package var kind: String { "key" }
    package var subject: String? { keyID }
    package var actor: String? { by }

    package func write(to writer: inout JSONWriter, actorName: String?) {
        if let by { writer.actor(by, actorName) }
        writer.string("kid", keyID)
        writer.string("purpose", purpose)
        writer.string("state", state)
        if !reason.isEmpty { writer.string("reason", reason) }
    }
}
