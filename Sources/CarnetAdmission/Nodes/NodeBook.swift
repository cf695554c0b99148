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
        /// The passport by which somebody said no to the machine, and when this process heard of it first; until there is one from after that.
        var refusal: (standing: NodeStanding, passport: String, at: Int64)?
        /// Whether a taint was asked for, and nobody knows whether it came about.
        var mayBeTainted = false
    }

    private(set) var entries: [String: Entry] = [:]
    /// When all passports were looked at last.
    private var lookedAt: Int64?

    /// How often all passports are looked at, also without news: status lists age, in seconds.
    static let lookInterval: Int64 = 15

    /// A node is there, and as it is now; `nil` when it is gone.
    mutating func take(_ name: String, _ view: NodeView?) {
        guard let view else {
            entries[name] = nil
            return
        }
        guard var entry = entries[name], entry.view.uid == view.uid else {
            entries[name] = Entry(view: view)
            return
        }
        if entry.view.passport != view.passport { entry.isDirty = true }
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
        if let fresh, let passport = view.passport, fresh == .contraindicated || fresh == .revoked {
            refusal = (fresh, passport, refusal?.passport == passport ? min(refusal?.at ?? now, now) : now)
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
