import CarnetRelyingService
package import CarnetService
import KubernetesAPI
import NodeAdmission

/// What the gate counts as it happens. No label is anything that a node or a requester sent.
package struct AdmissionMetrics: Sendable {
    /// Where the numbers are kept.
    package let registry: MetricRegistry

    /// Which gate decided.
    package enum Gate: String, Sendable, CaseIterable {
        case approver, webhook
    }

    private static let standings = [
        "attested", "contraindicated", "revoked", "lapsed", "unreadable", "unknown", "none",
    ]

    /// Nothing was counted yet.
    package init() {
        registry = MetricRegistry(Self.families)
        for standing in Self.standings { registry.set("carnet_admission_nodes", 0, [("standing", standing)]) }
        for reason in TaintReason.allCases {
            registry.begin("carnet_admission_taints_total", [("reason", reason.rawValue)])
        }
        for code in KubernetesError.Code.allCases {
            registry.begin("carnet_admission_api_errors_total", [("code", code.rawValue)])
        }
        registry.set("carnet_admission_leader", 0)
        stoppedCounting()
    }

    private static let families: [MetricFamily] =
        RequestMetrics.families + [
            MetricFamily(
                "carnet_admission_decisions_total", .counter, labels: ["gate", "outcome", "reason"], upTo: 256,
                "Decisions about requests and nodes: admit, deny, or wait, which is decided again."),
            MetricFamily(
                "carnet_admission_decision_seconds", .histogram(MetricFamily.durations), labels: ["gate"], upTo: 2,
                "From the beginning of a decision until it is written or answered."),
            MetricFamily("carnet_admission_queue", .gauge, "Requests that wait for their turn."),
            MetricFamily(
                "carnet_admission_leader", .gauge, "1 while this replica leads: only the leader approves and taints."),
            MetricFamily(
                "carnet_admission_nodes", .gauge, labels: ["standing"], upTo: standings.count,
                "Nodes by how they stand; the leader's, 0 on others."),
            MetricFamily(
                "carnet_admission_tainted_nodes", .gauge, labels: ["effect"], upTo: 2,
                "Nodes with the taint; the leader's."),
            MetricFamily(
                "carnet_admission_held_nodes", .gauge,
                "Nodes whose taint is held back until an operator says that it is right; the leader's."),
            MetricFamily(
                "carnet_admission_refused_marks_nodes", .gauge,
                "Nodes of which the API server does not take all of the gate's marks, as when they are too large; the leader's."
            ),
            MetricFamily(
                "carnet_admission_taints_total", .counter, labels: ["reason"], upTo: TaintReason.allCases.count,
                "Nodes that got the taint."),
            MetricFamily(
                "carnet_admission_taint_delay_seconds", .histogram([0.5, 1, 2.5, 5, 10, 30, 60, 300]),
                "From the moment in which a node that lapsed had to be tainted until it was."),
            MetricFamily(
                "carnet_admission_api_errors_total", .counter, labels: ["code"],
                upTo: KubernetesError.Code.allCases.count, "Requests to the API server that failed, by code."),
        ] + TrustMetrics.families + CertificateWatch.families + ProcessMetrics.families

    /// A decision was made.
    func decided(_ gate: Gate, _ outcome: String, _ reason: String) {
        registry.count(
            "carnet_admission_decisions_total", [("gate", gate.rawValue), ("outcome", outcome), ("reason", reason)])
    }

    /// How long a decision took.
    func took(_ gate: Gate, _ duration: Duration) {
        registry.time("carnet_admission_decision_seconds", duration, [("gate", gate.rawValue)])
    }

    /// So many requests wait.
    func queued(_ count: Int) { registry.set("carnet_admission_queue", Double(count)) }

    /// Whether this replica leads.
    func leads(_ leads: Bool) { registry.set("carnet_admission_leader", leads ? 1 : 0) }

    /// A request to the API server failed.
    func failed(_ error: KubernetesError) {
        registry.count("carnet_admission_api_errors_total", [("code", error.code.rawValue)])
    }

    /// A node got the taint.
    ///
    /// - Parameter delay: How long after it had to be, in seconds, where that moment is known.
    func tainted(_ reason: TaintReason, delay: Int64?) {
        registry.count("carnet_admission_taints_total", [("reason", reason.rawValue)])
        if let delay { registry.time("carnet_admission_taint_delay_seconds", .seconds(max(delay, 0))) }
    }

    /// All nodes were looked at.
    func counted(_ nodes: [NodeSituation], _ plan: TaintPlan) {
        var counts = Dictionary(uniqueKeysWithValues: Self.standings.map { ($0, 0) })
        for node in nodes { counts[Self.word(node.standing), default: 0] += 1 }
        for (standing, count) in counts {
            registry.set("carnet_admission_nodes", Double(count), [("standing", standing)])
        }
        set(
            tainted: nodes.count { $0.taint?.holdsBack == true }, evicting: nodes.count { $0.taint?.evicts == true },
            held: plan.held.count)
    }

    /// The API server does not take all marks of so many nodes.
    func untaken(_ count: Int) { registry.set("carnet_admission_refused_marks_nodes", Double(count)) }

    /// This replica counts nodes no longer.
    func stoppedCounting() {
        untaken(0)
        for standing in Self.standings { registry.set("carnet_admission_nodes", 0, [("standing", standing)]) }
        set(tainted: 0, evicting: 0, held: 0)
    }

    private func set(tainted: Int, evicting: Int, held: Int) {
        registry.set("carnet_admission_tainted_nodes", Double(tainted), [("effect", "NoSchedule")])
        registry.set("carnet_admission_tainted_nodes", Double(evicting), [("effect", "NoExecute")])
        registry.set("carnet_admission_held_nodes", Double(held))
    }

    private static func word(_ standing: NodeStanding?) -> String {
        switch standing {
        case .attested: "attested"
        case .contraindicated: "contraindicated"
        case .revoked: "revoked"
        case .lapsed: "lapsed"
        case .unreadable: "unreadable"
        case .unknown: "unknown"
        case nil: "none"
        }
    }
}
