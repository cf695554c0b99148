package import NodeAdmission

/// How one node stands now, and what the gate wrote on it before.
package struct NodeSituation: Sendable, Hashable {
    /// The node's name.
    package var name: String
    /// What its passport says; `nil` when it shows none.
    package var standing: NodeStanding?
    /// The gate's taint that it has.
    package var taint: UnattestedTaint?
    /// Whether it has the gate's label.
    package var isLabelled: Bool
    /// The gate's condition that it has.
    package var condition: NodeCondition?
    /// When the object was made, in seconds since 1970.
    package var createdAt: Int64
    /// Since when this process has known it not to be attested, in seconds since 1970. A kubelet can write its node's conditions, and no
    /// other process's memory.
    package var knownSince: Int64?
    /// Whether the operator wants it never tainted.
    package var isExempt: Bool

    /// A situation.
    package init(
        _ name: String, _ standing: NodeStanding?, taint: UnattestedTaint? = nil, isLabelled: Bool = false,
        condition: NodeCondition? = nil, createdAt: Int64 = 0, knownSince: Int64? = nil, isExempt: Bool = false
    ) {
        self.name = name
        self.standing = standing
        self.taint = taint
        self.isLabelled = isLabelled
        self.condition = condition
        self.createdAt = createdAt
        self.knownSince = knownSince
        self.isExempt = isExempt
    }

    /// Whether the gate saw it attested once. Neither the label nor the taint can be written by a kubelet.
    var hasHistory: Bool { isLabelled || (taint.map { $0.reason != .never } ?? false) }

    /// The same node with a refusal that stands: a passport from before it, which root on the node may still have, takes nothing back.
    var heeding: NodeSituation {
        guard case .attested(let start, _) = standing, let taint, taint.reason.isRefusal, let since = taint.since,
            start < since
        else { return self }
        var node = self
        node.standing = taint.reason == .revoked ? .revoked : .contraindicated
        return node
    }

    /// Since when it is not attested, as far as that is known; never in the future.
    func since(_ now: Int64) -> Int64 {
        let written = condition.flatMap { $0.isTrue ? nil : $0.since }
        return min([knownSince, written].compactMap(\.self).min() ?? now, now)
    }
}
