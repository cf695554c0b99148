package import NodeAdmission

/// What the gate is to write on nodes: decided from how they stand, a time and limits, and from nothing else.
///
/// New taints are given as long as few nodes have one of the same kind, for a refusal or for silence: first to those whose passports were
/// refused or ran out longest ago. The others are held back until an operator says that it is right. A taint stays until its node is
/// attested, and no longer.
package struct TaintPlan: Sendable, Hashable {
    /// What is to be on a node.
    package struct Marks: Sendable, Hashable {
        package var taint: UnattestedTaint?
        package var isLabelled: Bool
        package var condition: NodeCondition
        /// The end of the condition's message: when it is there already, nothing is news.
        package var stage: String
        /// When a node that lapsed had to have its taint, in seconds since 1970.
        package var dueAt: Int64?
    }

    /// By the nodes' names.
    package private(set) var marks: [String: Marks] = [:]
    /// The nodes whose taint is held back.
    package private(set) var held: Set<String> = []
    /// When a plan may be another without any news, in seconds since 1970.
    package private(set) var changesAt: Int64?
    /// How many nodes count, and how many of them may have the taint.
    package private(set) var counted = 0
    package private(set) var most = 0

    /// A plan.
    ///
    /// - Parameter isAllowed: Whether an operator lets as many nodes be tainted as should be.
    package init(_ nodes: [NodeSituation], _ limits: TaintLimits, at now: Int64, isAllowed: Bool = false) {
        var waiting: [(node: NodeSituation, verdict: NodeVerdict)] = []
        var tainted: [Bool: Int] = [:]
        for node in nodes.map(\.heeding) {
            let verdict = NodeVerdict(node, limits, at: now)
            if let moment = verdict.changesAt { changesAt = min(changesAt ?? moment, moment) }
            if verdict.counts, !node.isExempt {
                counted += 1
                if node.taint?.isInForce == true {
                    // One that is about to be lifted still counts: the next plan has room.
                    tainted[node.taint?.reason.isRefusal ?? false, default: 0] += 1
                } else if case .due = verdict.kind {
                    waiting.append((node, verdict))
                    continue
                }
            }
            marks[node.name] = Self.marks(of: node, verdict, limits, isHeld: false, at: now)
        }
        most = limits.most(of: counted)
        // Each kind has its own bound: machines that are silent, however many, take no room from those that are known to be bad.
        for isRefusal in [true, false] {
            let room = isAllowed ? waiting.count : max(0, most - tainted[isRefusal, default: 0])
            let kind = waiting.filter { $0.verdict.isRefusal == isRefusal }.sorted { Self.rank($0) < Self.rank($1) }
            for (index, (node, verdict)) in kind.enumerated() {
                let isHeld = index >= room
                if isHeld { held.insert(node.name) }
                marks[node.name] = Self.marks(of: node, verdict, limits, isHeld: isHeld, at: now)
            }
        }
    }

    private static func rank(_ entry: (node: NodeSituation, verdict: NodeVerdict)) -> (Int, Int64, String) {
        let order = if case .due(.lapsed, _) = entry.verdict.kind, !entry.verdict.isUnknown { 0 } else { 1 }
        return (order, entry.verdict.since, entry.node.name)
    }

    private static func marks(
        of node: NodeSituation, _ verdict: NodeVerdict, _ limits: TaintLimits, isHeld: Bool, at now: Int64
    ) -> Marks {
        var taint: UnattestedTaint?
        var isLabelled = true
        switch verdict.kind {
        case .attested: break
        case .grace: isLabelled = node.isLabelled
        case .due(let reason, let evicts):
            if node.isExempt || isHeld {
                // To be held back is to keep one's pods, not to be called attested for ever, or when the verifier says no.
                isLabelled = node.isLabelled && !(isHeld && (reason.isRefusal || evicts))
            } else {
                // A refusal after a lapse begins anew; anything else goes on.
                let goesOn = node.taint.map { $0.reason.isRefusal == reason.isRefusal } ?? false
                let kept = goesOn ? node.taint : nil
                taint = UnattestedTaint(reason, evicts: evicts, since: min(kept?.since ?? now, now))
                isLabelled = false
            }
        }
        let stage = ConditionWords.stage(node, verdict, taint, limits, isHeld: isHeld)
        let since =
            verdict.kind == .attested
            ? (node.condition.flatMap { $0.isTrue ? $0.since : nil } ?? now) : node.since(now)
        let condition = NodeCondition(
            status: verdict.kind == .attested ? "True" : verdict.isUnknown ? "Unknown" : "False",
            reason: ConditionWords.reason(node.standing),
            message: ConditionWords.sentence(node) + stage, since: since)
        return Marks(
            taint: taint, isLabelled: isLabelled, condition: condition, stage: stage,
            dueAt: taint?.reason == .lapsed ? verdict.since + limits.lapseGrace : nil)
    }
}

extension TaintPlan.Marks {
    /// Whether a node's taint or label is another.
    package func changesTaint(of node: NodeSituation) -> Bool {
        node.taint?.undated != taint?.undated || isLabelled != node.isLabelled
    }

    /// Whether a node's condition is another. Of a message only its end has to be the same: what stands before it may tell of seconds.
    package func changesCondition(of node: NodeSituation) -> Bool {
        guard let present = node.condition else { return true }
        return present.status != condition.status || present.reason != condition.reason
            || !present.message.hasSuffix(stage)
    }
}
