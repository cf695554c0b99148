import StrictEncoding

/// A step of a machine's enrolment.
package enum EnrolmentStep: Sendable, Hashable {
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

    var kind: String {
        switch self {
        case .requested: "enrolment-requested"
        case .refused: "enrolment-refused"
        case .activated: "enrolment-activated"
        case .approved: "enrolment-approved"
        case .removed: "enrolment-removed"
        }
    }

    var subject: String {
        switch self {
        case .requested(_, _, let key, _), .refused(_, let key, _): Hexadecimal.encode(key)
        case .activated(let id, _, _), .approved(let id, _), .removed(let id, _, _): id
        }
    }

    var by: String? {
        switch self {
        case .requested, .refused: nil
        case .activated(_, _, let approver): approver
        case .approved(_, let by), .removed(_, _, let by): by
        }
    }
}

/// What a broker did with a secret. The secret itself is nowhere here.
package struct SecretRelease: Sendable, Hashable {
    /// The machine, as the passport's `sub` names it.
    package let subject: String
    /// The secret's name.
    package let secret: String
    /// `jti` of the passport that was shown.
    package let tokenID: String
    /// Whether it was given out.
    package let isGranted: Bool
    /// Why not, when it was not.
    package let reason: String?
    /// The identifier of the broker's API token.
    package let by: String

    /// A release.
    package init(subject: String, secret: String, tokenID: String, isGranted: Bool, reason: String?, by: String) {
        self.subject = subject
        self.secret = secret
        self.tokenID = tokenID
        self.isGranted = isGranted
        self.reason = reason
        self.by = by
    }
}

/// What an operator did.
package struct OperatorAction: Sendable, Hashable {
    /// The actions that there are.
    package enum Action: String, Sendable, Hashable, CaseIterable {
        case policyStored = "policy.store"
        case policyActivated = "policy.activate"
        case policyDeactivated = "policy.deactivate"
        case policyRolledBack = "policy.rollback"
        case templateStored = "pcr-template.store"
        case templateRemoved = "pcr-template.remove"
        case referenceSetStored = "reference-set.store"
        case referenceSetRemoved = "reference-set.remove"
        case endorsementKeyRegistered = "endorsement-key.register"
        case endorsementKeyRemoved = "endorsement-key.unregister"
        case nodeLabelled = "node.label"
        case tokenCreated = "api-token.create"
        case tokenRevoked = "api-token.revoke"
        /// A token was shown after its end, for the first time.
        case tokenExpired = "api-token.expire"
        case issuerChanged = "issuer.change"
        case ledgerAccepted = "ledger.accept"
        case webhookAdded = "webhook.add"
        case webhookRemoved = "webhook.remove"
        case webhookSecretRotated = "webhook.rotate-secret"
        case webhookTested = "webhook.test"
    }

    /// What was done.
    package let action: Action
    /// To what: an identifier, a digest in hexadecimal, a name.
    package let target: String
    /// Whether it was done; an attempt that was refused is told as well.
    package let isDone: Bool
    /// More about it, by name.
    package let details: [String: String]
    /// The identifier of the operator's API token, or a word such as `command-line`.
    package let by: String

    /// An action.
    package init(
        _ action: Action, _ target: String, by: String, isDone: Bool = true, details: [String: String] = [:]
    ) {
        self.action = action
        self.target = target
        self.by = by
        self.isDone = isDone
        self.details = details
    }
}

/// A verifier's own life.
package struct ServiceStep: Sendable, Hashable {
    /// Whether it began; else it ended.
    package let isStart: Bool
    /// The program's version.
    package let version: String
}

/// What happens to a key of the verifier.
package struct KeyStep: Sendable, Hashable {
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
}

/// What was dropped of the ledger.
package struct LedgerPruning: Sendable, Hashable {
    /// Entries from before this time were to go, in seconds since 1970.
    package let before: Int64
    /// The checkpoint at whose heads the chains begin now.
    package let checkpoint: Int64
    /// How many entries were dropped.
    package let count: Int64
    /// The identifier of the operator's API token.
    package let by: String
}
