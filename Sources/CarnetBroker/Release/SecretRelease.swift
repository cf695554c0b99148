import CarnetRecords
import StrictEncoding

/// What the broker did with a secret or a disk key when a machine asked for it. The secret itself is nowhere here.
struct SecretRelease: LedgerFact, Hashable {
    /// The machine, as the passport's `sub` names it.
    let machine: String
    /// What it asked for: a secret's name, or `escrow/` and a volume's.
    let what: String
    /// `jti` of the passport that was shown.
    let tokenID: String
    /// What became of it.
    let outcome: Outcome
    /// What was shown: `passport`, `background-check`, or `kbs`.
    let model: String

    enum Outcome: Sendable, Hashable {
        /// Given out: which version, in which form, under which policy.
        case granted(version: Int64, form: String, policy: String)
        /// Refused: why, as operators are told.
        case refused([String])
    }

    /// Refusals have a kind of their own: of those not every one is written.
    var kind: String {
        if case .refused = outcome { "release-refused" } else { "release" }
    }
    var subject: String? { machine }
    var actor: String? { nil }

    func write(to writer: inout JSONWriter, actorName: String?) {
        writer.string("secret", what)
        writer.string("jti", tokenID)
        writer.string("model", model)
        switch outcome {
        case .granted(let version, let form, let policy):
            writer.string("outcome", "granted")
            writer.integer("version", version)
            writer.string("form", form)
            writer.string("policy", policy)
        case .refused(let reasons):
            writer.string("outcome", "refused")
            writer.array("reasons") { writer in
                for reason in reasons.prefix(ReleaseDecision.maximumReasonCount) { writer.element(reason) }
            }
        }
    }
}

/// What happened to a disk key in escrow.
struct EscrowStep: LedgerFact, Hashable {
    let machine: String
    let volume: String
    /// `stored`, `dropped` (a version that the machine needs no more), or `sealed`.
    let step: String
    let version: Int64
    let tokenID: String

    var kind: String { "escrow" }
    var subject: String? { machine }
    var actor: String? { nil }

    func write(to writer: inout JSONWriter, actorName: String?) {
        writer.string("volume", volume)
        writer.string("step", step)
        writer.integer("version", version)
        writer.string("jti", tokenID)
    }
}
