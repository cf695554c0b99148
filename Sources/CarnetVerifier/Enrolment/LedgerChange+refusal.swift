import CarnetRecords
import CarnetStorage

extension LedgerChange {
    /// A machine was not let in. Anybody can be refused as often as they like, so of each endorsement key one refusal is written in
    /// ``Ledger/failureInterval``.
    static func refusal(
        _ value: Value, _ identity: NodeIdentity, _ reason: String, now: Int64, in connection: any SQLConnection
    ) throws(StorageError) -> LedgerChange {
        let step = EnrolmentStep.refused(
            name: identity.name, endorsementKey: identity.endorsementKeyDigest, reason: reason)
        guard try Ledger.isQuiet(step.kind, about: step.about, at: now, in: connection) else {
            return .unremarkable(value)
        }
        return .recorded(value, .enrolment(step))
    }
}

extension IdentityConflict {
    /// The conflict, as a sentence.
    var reason: String {
        switch self {
        case .name: "This node name is known with other keys."
        case .endorsementKey: "This endorsement key is known under another name or attestation key."
        case .attestationKey: "This attestation key is known with another endorsement key."
        }
    }
}

extension NodeStore.Addition {
    /// Why a machine was not added; empty when it was.
    var reason: String {
        switch self {
        case .added: ""
        case .conflict(let conflict): conflict.reason
        case .registeredForAnotherName: "The endorsement key is registered for a node with another name."
        case .notRegistered: "The endorsement key is no longer registered."
        case .countersWentBackwards: "The TPM's boot counters went backwards since this machine was last seen."
        }
    }
}
