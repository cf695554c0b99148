/// Everything that the ledger knows how to tell. An event becomes one entry: kind, subject, and a body that is one JSON object with its
/// members in a fixed order.
package enum LedgerEvent: Sendable, Hashable {
    /// Evidence was appraised; its token, if there is one, is part of it.
    case appraisal(LedgerEntry)
    /// A machine on its way in or out.
    case enrolment(EnrolmentStep)
    /// Passports ended early.
    case revocation(Revocation)
    /// A secret was given out, or refused.
    case release(SecretRelease)
    /// An operator changed something.
    case operation(OperatorAction)
    /// A verifier began or ended.
    case service(ServiceStep)
    /// A key of the verifier changed its state.
    case key(KeyStep)
    /// Old entries were dropped.
    case prune(LedgerPruning)
    /// Messages to a receiver were lost.
    case webhook(WebhookLoss)

    /// The word for what happened.
    package var kind: String {
        switch self {
        case .appraisal(let entry): entry.eventKind
        case .enrolment(let step): step.kind
        case .revocation: "revocation"
        case .release: "release"
        case .operation: "operation"
        case .service: "service"
        case .key: "key"
        case .prune: "prune"
        case .webhook: "webhook"
        }
    }

    /// What it is about.
    package var subject: String? {
        switch self {
        case .appraisal(let entry): entry.nodeID
        case .enrolment(let step): step.subject
        case .revocation(let revocation): revocation.target.subject
        case .release(let release): release.subject
        case .operation(let action): action.target
        case .service, .prune: nil
        case .key(let step): step.keyID
        case .webhook(let loss): loss.webhook
        }
    }

    /// The challenge that it consumes.
    var challenge: [UInt8]? {
        if case .appraisal(let entry) = self { entry.challengeDigest } else { nil }
    }

    /// The identifier of the API token with which it was done, or a word such as `command-line`.
    var actor: String? {
        switch self {
        case .appraisal(let entry): entry.requester
        case .enrolment(let step): step.by
        case .revocation(let revocation): revocation.decidedBy
        case .release(let release): release.by
        case .operation(let action): action.by
        case .service, .webhook: nil
        case .key(let step): step.by
        case .prune(let pruning): pruning.by
        }
    }
}
