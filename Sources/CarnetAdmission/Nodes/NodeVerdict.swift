import NodeAdmission

/// What follows for one node from how it stands, before anybody asks how many there are.
struct NodeVerdict: Sendable, Hashable {
    /// What is to be, in the order in which nodes lose their place.
    enum Kind: Sendable, Hashable {
        /// All is well.
        case attested
        /// It is not attested, and keeps its place for now.
        case grace(TaintReason)
        /// It is to have the taint.
        case due(TaintReason, evicts: Bool)
    }

    let kind: Kind
    /// Whether nobody can say now.
    let isUnknown: Bool
    /// Since when it is not attested.
    let since: Int64
    /// When this may be different without any news.
    let changesAt: Int64?
    /// Whether it counts among the nodes of which only so many may have the taint: a new node, which nobody has used yet, does not.
    let counts: Bool

    /// Whether somebody said no to the machine, in place of saying nothing.
    var isRefusal: Bool { if case .due(let reason, _) = kind { reason.isRefusal } else { false } }

    init(_ node: NodeSituation, _ limits: TaintLimits, at now: Int64) {
        isUnknown = if case .unknown = node.standing { true } else { false }
        let age = now - node.createdAt, isNew = !node.hasHistory && age < limits.newNodeAge
        let wasRefused = node.taint.map { $0.reason.isRefusal } ?? false
        switch node.standing {
        case .attested(_, let end):
            (kind, since, changesAt, counts) = (.attested, now, end + 1, true)
        case .contraindicated, .revoked:
            let reason: TaintReason = node.standing == .revoked ? .revoked : .contraindicated
            (kind, since, changesAt) = Self.refused(node, reason, limits, now)
            counts = true
        case .lapsed, .unknown, .unreadable, nil:
            if wasRefused, let reason = node.taint?.reason {
                // No does not become a mere silence by waiting.
                (kind, since, changesAt) = Self.refused(node, reason, limits, now)
                counts = true
            } else if case .lapsed(let end) = node.standing {
                (kind, since, changesAt) = Self.silent(
                    node, .lapsed, since: max(min(end, node.since(now)), 0), limits, now)
                counts = true
            } else if !node.hasHistory, isNew || node.taint != nil {
                // As it registered itself, or as it should have.
                (kind, since, changesAt, counts) = (.due(.never, evicts: false), node.createdAt, nil, false)
            } else {
                let reason: TaintReason = node.hasHistory || isUnknown ? .lapsed : .never
                (kind, since, changesAt) = Self.silent(node, reason, since: node.since(now), limits, now)
                counts = true
            }
        }
    }

    /// Somebody said no: `NoSchedule` at once, and `NoExecute` when that has lasted.
    private static func refused(
        _ node: NodeSituation, _ reason: TaintReason, _ limits: TaintLimits, _ now: Int64
    ) -> (Kind, Int64, Int64?) {
        // The grace begins with the taint, and with no older one for another reason.
        let tainted = node.taint.flatMap { $0.reason.isRefusal ? $0.since ?? now : nil } ?? now
        let end = min(tainted, now) + limits.refusalGrace, evicts = now >= end || (node.taint?.evicts ?? false)
        return (.due(reason, evicts: evicts), node.since(now), evicts ? nil : end)
    }

    /// Nobody says yes: `NoSchedule` after one time, and `NoExecute` after another. What is there stays until somebody does.
    private static func silent(
        _ node: NodeSituation, _ reason: TaintReason, since: Int64, _ limits: TaintLimits, _ now: Int64
    ) -> (Kind, Int64, Int64?) {
        let holdsBackAt = since + limits.lapseGrace, evictsAt = max(since + limits.evictAfter, holdsBackAt)
        let isTainted = node.taint != nil
        guard isTainted || now >= holdsBackAt else { return (.grace(reason), since, holdsBackAt) }
        // A node without history never had anything that it could keep out of order.
        let mayEvict = reason != .never, evicts = (mayEvict && now >= evictsAt) || (node.taint?.evicts ?? false)
        return (.due(reason, evicts: evicts), since, evicts || !mayEvict ? nil : evictsAt)
    }
}
