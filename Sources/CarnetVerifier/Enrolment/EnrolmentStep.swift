import CarnetRecords
package import StrictEncoding

/// A step of a machine's enrolment.
package enum EnrolmentStep: LedgerFact, Hashable {
    /// The first call: the endorsement key is a TPM's, and a credential was sent. Told at most once in ``Ledger/failureInterval`` for a key.
    case requested(id: String, name: String, endorsementKey: [UInt8], attestationKey: [UInt8])
    /// It was not let in, and why. Told at most once in ``Ledger/failureInterval`` for a key.
    case refused(name: String, endorsementKey: [UInt8], reason: String)
    /// The machine proved its keys; it is approved if somebody did already.
    case activated(id: String, identity: NodeIdentity, approvedBy: String?)
    /// An operator approved it.
    case approved(id: String, by: String)
    /// An operator removed it.
    case removed(id: String, name: String, by: String)

    package var kind: String {
        switch self {
        case .requested: "enrolment-requested"
        case .refused: "enrolment-refused"
        case .activated: "enrolment-activated"
        case .approved: "enrolment-approved"
        case .removed: "enrolment-removed"
        }
    }

    package var subject: String? { about }

    /// The machine's identifier, or its endorsement key before it has one.
    var about: String {
        switch self {
        case .requested(_, _, let key, _), .refused(_, let key, _): Hexadecimal.encode(key)
        case .activated(let id, _, _), .approved(let id, _), .removed(let id, _, _): id
        }
    }

    package var actor: String? {
        switch self {
        case .requested, .refused: nil
        case .activated(_, _, let approver): approver
        case .approved(_, let by), .removed(_, _, let by): by
        }
    }
}

extension EnrolmentStep {
    package func write(to writer: inout JSONWriter, actorName: String?) {
        switch self {
        case .requested(let id, let name, let endorsementKey, let attestationKey):
            writer.string("id", id)
            writer.string("name", name)
            writer.string("ek_sha256", Hexadecimal.encode(endorsementKey))
            writer.string("ak", Hexadecimal.encode(attestationKey))
        case .refused(let name, let endorsementKey, let reason):
            writer.string("name", name)
            writer.string("ek_sha256", Hexadecimal.encode(endorsementKey))
            writer.string("reason", reason)
        case .activated(let id, let identity, let approver):
            writer.string("id", id)
            writer.string("name", identity.name)
            writer.string("ek_sha256", Hexadecimal.encode(identity.endorsementKeyDigest))
            writer.string("ak", Hexadecimal.encode(identity.attestationKeyName))
            writer.string("endorsement", identity.endorsement.rawValue)
            writer.string("state", approver == nil ? "pending" : "approved")
        case .approved(let id, _): writer.string("id", id)
        case .removed(let id, let name, _):
            writer.string("id", id)
            writer.string("name", name)
        }
        if let actor { writer.actor(actor, actorName) }
    }
}
