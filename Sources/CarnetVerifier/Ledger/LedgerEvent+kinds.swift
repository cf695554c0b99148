package import CarnetRecords
import StrictEncoding

extension LedgerEvent {
    /// Evidence was appraised; its token, if there is one, is part of it.
    package static func appraisal(_ entry: LedgerEntry) -> LedgerEvent { LedgerEvent(AppraisalFact(entry: entry)) }
    /// A machine on its way in or out.
    package static func enrolment(_ step: EnrolmentStep) -> LedgerEvent { LedgerEvent(step) }
    /// Passports ended early.
    package static func revocation(_ revocation: Revocation) -> LedgerEvent { LedgerEvent(revocation) }
    /// Messages to a receiver were lost.
    package static func webhook(_ loss: WebhookLoss) -> LedgerEvent { LedgerEvent(loss) }
}

/// An appraisal, as the ledger tells it.
private struct AppraisalFact: LedgerFact {
    let entry: LedgerEntry

    var kind: String { entry.eventKind }
    var subject: String? { entry.nodeID }
    var challenge: [UInt8]? { entry.challengeDigest }
    var actor: String? { entry.requester }

    func write(to writer: inout JSONWriter, actorName: String?) {
        entry.write(to: &writer, requesterName: actorName)
    }
}

extension OperatorAction.Action {
    package static let policyStored = Self("policy.store")
    package static let policyActivated = Self("policy.activate")
    package static let policyDeactivated = Self("policy.deactivate")
    package static let policyRolledBack = Self("policy.rollback")
    package static let templateStored = Self("pcr-template.store")
    package static let templateRemoved = Self("pcr-template.remove")
    package static let referenceSetStored = Self("reference-set.store")
    package static let referenceSetRemoved = Self("reference-set.remove")
    package static let endorsementKeyRegistered = Self("endorsement-key.register")
    package static let endorsementKeyRemoved = Self("endorsement-key.unregister")
    package static let nodeLabelled = Self("node.label")
    package static let issuerChanged = Self("issuer.change")
    package static let webhookAdded = Self("webhook.add")
    package static let webhookRemoved = Self("webhook.remove")
    package static let webhookSecretRotated = Self("webhook.rotate-secret")
    package static let webhookTested = Self("webhook.test")
}
