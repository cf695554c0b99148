/// What the gate writes on nodes, as others read it.
package enum NodeMark {
    /// The key of the taint.
    package static let taint = "carnet.dev/unattested"
    /// The label of nodes that are attested. Kubelets cannot set labels below this prefix themselves (NodeRestriction).
    package static let label = "carnet.node-restriction.kubernetes.io/attested"
    /// The annotation in which a node shows its passport: a compact token.
    package static let passport = "carnet.dev/passport"
    /// The type of the condition.
    package static let condition = "CarnetAttested"
    /// The longest annotation that is looked at, in bytes.
    package static let maximumPassportByteCount = 16_384
}

/// Why a node has the taint: the taint's value.
package enum TaintReason: String, Sendable, Hashable, CaseIterable {
    /// It never showed a passport.
    case never
    /// Its passport ran out, or cannot be checked any more.
    case lapsed
    /// The verifier says no to the machine.
    case contraindicated
    /// Its passport was withdrawn.
    case revoked

    /// Whether somebody said no, and not only nobody yes.
    var isRefusal: Bool { self == .contraindicated || self == .revoked }
}

/// The gate's taint as it is on a node, or as it is to be.
package struct UnattestedTaint: Sendable, Hashable {
    /// Why.
    package var reason: TaintReason
    /// Nothing new is put there.
    package var holdsBack: Bool
    /// What is there is put elsewhere.
    package var evicts: Bool
    /// Since when, in seconds since 1970, as far as somebody wrote it down.
    package var since: Int64?

    /// A taint.
    package init(_ reason: TaintReason, holdsBack: Bool = true, evicts: Bool = false, since: Int64? = nil) {
        self.reason = reason
        self.holdsBack = holdsBack
        self.evicts = evicts
        self.since = since
    }

    /// Whether anything is kept from the node.
    var isInForce: Bool { holdsBack || evicts }
    /// The same without its time: who registered the node wrote down none.
    var undated: UnattestedTaint { UnattestedTaint(reason, holdsBack: holdsBack, evicts: evicts) }
    /// The same in one taint, with the shortest word that says as much: `NoExecute` keeps new pods away too. The time stays, since by it an
    /// older passport takes no refusal back.
    var shortest: UnattestedTaint {
        UnattestedTaint(reason.isRefusal ? .revoked : reason, holdsBack: !evicts, evicts: evicts, since: since)
    }
}

/// The gate's condition as it is on a node, or as it is to be.
package struct NodeCondition: Sendable, Hashable {
    /// `True`, `False` or `Unknown`.
    package var status: String
    /// In CamelCase.
    package var reason: String
    /// For people, with what to do.
    package var message: String
    /// Since when the node is attested, or is not: in seconds since 1970.
    package var since: Int64

    /// A condition.
    package init(status: String, reason: String, message: String, since: Int64) {
        self.status = status
        self.reason = reason
        self.message = message
        self.since = since
    }

    /// Whether the node is attested.
    package var isTrue: Bool { status == "True" }
}
