import NodeAdmission

/// What the controller knows of all nodes: a value, told of changes and times.
struct NodeBook: Sendable {
    /// One node.
    struct Entry: Sendable {
        var view: NodeView
        var standing: NodeStanding?
        /// Whether its passport has to be looked at again.
        var isDirty = true
        /// Since when it is known not to be attested.
        var knownSince: Int64?
        /// The passport by which somebody said no to the machine, and when that was known first; until a good one from after that is shown.
        var refusal: Refusal?
        /// Whether a taint was asked for, and nobody knows whether it came about.
        var mayBeTainted = false
    }

    /// That somebody said no to a machine.
    struct Refusal: Sendable {
        var standing: NodeStanding
        /// The passport by which that was known; `nil` where somebody else knew it.
        var passport: String?
        var at: Int64
    }

    private(set) var entries: [String: Entry] = [:]
    /// The refusals of nodes that are gone. No passport from before one of them is good for longer than an hour.
    private var refusals: [String: Refusal] = [:]
    private static let longestPassport: Int64 = 3600
    /// When all passports were looked at last.
    private var lookedAt: Int64?

    /// How often all passports are looked at, also without news: status lists age, in seconds.
    static let lookInterval: Int64 = 15

    /// A node is there, and as it is now; `nil` when it is gone.
    mutating func take(_ name: String, _ view: NodeView?) {
        guard let view else {
            // A node that sees to its own deletion does not come back as a good one.
            refusals[name] = entries[name]?.refusal
            entries[name] = nil
            return
        }
        guard var entry = entries[name], entry.view.uid == view.uid else {
            // What a former leader knew stands in its condition.
            let written = view.condition?.refusal.map { Refusal(standing: $0, at: view.condition?.since ?? 0) }
            let refusal = entries[name]?.refusal ?? refusals[name] ?? written
            refusals[name] = nil
            entries[name] = Entry(view: view, refusal: refusal)
            return
        }
        if !isSame(entry.view.passport, view.passport) { entry.isDirty = true }
        entry.view = view
        entry.mayBeTainted = false
        entries[name] = entry
    }

    /// All passports have to be looked at: keys or lists came.
    mutating func doubtAll() { lookedAt = nil }

    /// A taint was asked for, and the answer did not come.
    mutating func suspectTaint(_ name: String) { entries[name]?.mayBeTainted = true }

    /// Looks at the passports that have to be looked at.
    ///
    /// - Parameter standing: How a node stands by a passport.
    mutating func look(at now: Int64, _ standing: (_ passport: String, _ node: String) -> NodeStanding) {
        // A clock that was set back must not stop this.
        let all = lookedAt.map { $0 > now || now - $0 >= Self.lookInterval } ?? true
        if all { lookedAt = now }
        refusals = refusals.filter { now - $0.value.at < Self.longestPassport }
        for (name, entry) in entries {
            var entry = entry
            if case .attested(_, let end) = entry.standing, now > end { entry.isDirty = true }
            guard entry.isDirty || all else { continue }
            entry.take(entry.view.passport.map { standing($0, name) }, at: now)
            entry.isDirty = false
            if case .attested = entry.standing {
                entry.knownSince = nil
            } else if entry.knownSince == nil {
                entry.knownSince = now
            }
            entries[name] = entry
        }
    }

    /// The nodes as a plan looks at them.
    func situations(exempt: Set<String>) -> [NodeSituation] {
        entries.map { name, entry in
            var situation = NodeSituation(entry.view, entry.standing, isExempt: exempt.contains(name))
            situation.knownSince = entry.knownSince
            return situation
        }
    }
}

extension NodeBook.Entry {
    /// A passport was looked at, or there is none. A refusal stands, also while the taint is held back that would say so: what root on the
    /// node can do, which is to take the passport away or to show an older one, does not take it back.
    fileprivate mutating func take(_ fresh: NodeStanding?, at now: Int64) {
        // A condition may tell of a time that is not yet.
        if let refused = refusal { refusal?.at = min(refused.at, now) }
        if let fresh, let passport = view.passport, fresh == .contraindicated || fresh == .revoked {
            let isKnown = refusal.map { isSame($0.passport, passport) } ?? false
            refusal = NodeBook.Refusal(
                standing: fresh, passport: passport, at: isKnown ? refusal?.at ?? now : now)
        } else if case .attested(let start, _) = fresh, let refused = refusal, start >= refused.at {
            refusal = nil
        }
        standing = refusal?.standing ?? fresh
    }
}

extension NodeSituation {
    /// A node as it is in the cluster.
    init(_ view: NodeView, _ standing: NodeStanding?, isExempt: Bool) {
        self.init(
            view.name, standing, taint: view.taint, isLabelled: view.isLabelled, condition: view.condition,
            createdAt: view.createdAt, isExempt: isExempt)
    }
}
